# The gateway as one image: dependencies of production only, no compiler, nobody's root.
FROM node:24-slim AS dependencies
WORKDIR /app
COPY package.json package-lock.json .npmrc ./
RUN npm ci --omit=dev --no-audit --no-fund

FROM node:24-slim
WORKDIR /app
COPY --from=dependencies /app/node_modules ./node_modules
COPY package.json LICENSE ./
COPY src ./src

# Everything that is written lies in /data (unless there is a database and a bucket) and /tmp: the rest may be read-only.
# Compiled code is kept here while the image is built: a start reads it, and does not load what turns TypeScript into
# JavaScript (14 MiB). Two arenas are enough for a process with one thread that works: 4 MiB less.
ENV NODE_ENV=production HOST=0.0.0.0 PORT=8787 REELAY_DATA=/data NODE_COMPILE_CACHE=/app/compile-cache MALLOC_ARENA_MAX=2
RUN install -d -o node -g node -m 0700 /data && install -d -o node -g node /app/compile-cache
VOLUME /data
USER node
RUN ["node", "src/warm.ts"]
EXPOSE 8787
HEALTHCHECK --interval=10s --timeout=3s --start-period=20s --retries=3 \
  CMD ["node", "-e", "fetch('http://127.0.0.1:' + process.env.PORT + '/healthz').then((answer) => process.exit(answer.ok ? 0 : 1), () => process.exit(1))"]
# Never npm: it would not hand SIGTERM on, and requests in hand would be cut off.
CMD ["node", "src/main.ts"]
