import { call, type LooseJson } from '../../test/helpers/processes.ts';

export interface Operation {
  method: string;
  /** As the document spells it: `/v1/videos/{id}`. */
  path: string;
  isAdmin: boolean;
  parameters: { name: string; in: 'path' | 'query' | 'header'; required?: boolean; schema: LooseJson }[];
  /** Schema of the JSON body, or null. */
  body: LooseJson;
  takesForm: boolean;
  responses: Record<string, LooseJson>;
}

const METHODS = new Set(['get', 'put', 'post', 'delete', 'patch', 'head', 'options']);

export async function readOpenapi(url: string): Promise<{ document: LooseJson; operations: Operation[] }> {
  const { body: document } = await call(`${url}/openapi.json`);
  const operations: Operation[] = [];
  for (const [path, item] of Object.entries<LooseJson>(document.paths)) {
    for (const [method, operation] of Object.entries<LooseJson>(item)) {
      if (!METHODS.has(method)) continue;
      const content = operation.requestBody?.content ?? {};
      operations.push({
        method: method.toUpperCase(),
        path,
        isAdmin: path.startsWith('/admin/'),
        parameters: operation.parameters ?? [],
        body: content['application/json']?.schema ?? null,
        takesForm: content['multipart/form-data'] !== undefined,
        responses: operation.responses,
      });
    }
  }
  return { document, operations };
}

/** The schema itself, or the component that it points to. */
export function resolved(document: LooseJson, schema: LooseJson): LooseJson {
  let found = schema;
  while (typeof found?.$ref === 'string')
    found = found.$ref
      .slice(2)
      .split('/')
      .reduce((at: LooseJson, key: string) => at[key.replaceAll('~1', '/').replaceAll('~0', '~')], document);
  return found;
}
