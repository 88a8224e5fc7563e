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
# With the compile cache named here, the second start does not load what turns TypeScript into JavaScript (14 MiB).
ENV NODE_ENV=production HOST=0.0.0.0 PORT=8787 REELAY_DATA=/data NODE_COMPILE_CACHE=/tmp/compile-cache
RUN install -d -o node -g node -m 0700 /data
VOLUME /data
USER node
EXPOSE 8787
HEALTHCHECK --interval=10s --timeout=3s --start-period=20s --retries=3 \
  CMD ["node", "-e", "fetch('http://127.0.0.1:' + process.env.PORT + '/healthz').then((answer) => process.exit(answer.ok ? 0 : 1), () => process.exit(1))"]
# Never npm: it would not hand SIGTERM on, and requests in hand would be cut off.
CMD ["node", "src/main.ts"]
