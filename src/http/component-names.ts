/**
 * Component names of the API description. Every schema comes out twice, as it is read (`X`) and as it is sent
 * (`XInput`), though most are used one way only; the founding documents' own names are those without the ending.
 */

interface Described {
  components?: { schemas?: Record<string, unknown> };
}

const prefix = '#/components/schemas/';
const ending = 'Input';

/**
 * The same document with only the components that something leads to, each under its plain name where the two forms
 * are one, or only one of them is used.
 */
export function withPlainNames<Document extends object>(document: Document): Document {
  const { components, ...rest } = document as Described;
  const all = components?.schemas;
  if (all === undefined) return document;
  const used = reachableFrom([rest, { ...components, schemas: null }], all);
  const renamed = new Map<string, string>();
  for (const name of used) {
    const plain = plainNameOf(name, all);
    if (plain !== null && !used.has(plain)) renamed.set(name, plain);
  }
  // Two forms that hold others are one only once those are: as many rounds as it takes.
  for (let size = -1; size < renamed.size;) {
    size = renamed.size;
    for (const name of used) {
      const plain = plainNameOf(name, all);
      if (plain === null || renamed.has(name)) continue;
      if (textOf(all[name], renamed) === textOf(all[plain], renamed)) renamed.set(name, plain);
    }
  }
  const schemas: Record<string, unknown> = {};
  for (const [name, schema] of Object.entries(all)) {
    if (used.has(name)) schemas[renamed.get(name) ?? name] = schema;
  }
  return withReferences({ ...document, components: { ...components, schemas } }, renamed) as Document;
}

/** `XInput` -> `X`; null for what has no such twin. */
function plainNameOf(name: string, all: Record<string, unknown>): string | null {
  const plain = name.endsWith(ending) ? name.slice(0, -ending.length) : '';
  return Object.hasOwn(all, plain) ? plain : null;
}

function reachableFrom(roots: unknown[], all: Record<string, unknown>): Set<string> {
  const found = new Set<string>();
  const waiting = [...roots];
  while (waiting.length > 0) {
    const node = waiting.pop();
    if (typeof node !== 'object' || node === null) continue;
    const name = referenceIn(node);
    if (name !== null && !found.has(name) && Object.hasOwn(all, name)) {
      found.add(name);
      waiting.push(all[name]);
    }
    waiting.push(...Object.values(node));
  }
  return found;
}

function referenceIn(node: object): string | null {
  const reference = '$ref' in node ? node.$ref : null;
  return typeof reference === 'string' && reference.startsWith(prefix)
    ? reference.slice(prefix.length)
    : null;
}

function textOf(schema: unknown, renamed: ReadonlyMap<string, string>): string {
  return JSON.stringify(withReferences(schema, renamed));
}

function withReferences(node: unknown, renamed: ReadonlyMap<string, string>): unknown {
  if (Array.isArray(node)) return node.map((item) => withReferences(item, renamed));
  if (typeof node !== 'object' || node === null) return node;
  const name = referenceIn(node);
  return Object.fromEntries(
    Object.entries(node).map(([key, value]) =>
      key === '$ref' && name !== null
        ? [key, `${prefix}${renamed.get(name) ?? name}`]
        : [key, withReferences(value, renamed)],
    ),
  );
}
