import { JsonError, parseJson, type Json } from './json.ts';

/** A file part, its bytes read already. `contentType` is the sender's claim. */
export interface FormFile {
  bytes: Buffer;
  filename: string;
  contentType: string;
}

export type FormValue = string | FormFile | Json | FormValue[] | FormObject;
/** Has no prototype, so that no field name can reach one. */
export interface FormObject {
  [key: string]: FormValue;
}

export type FormErrorReason =
  'too_many_fields' | 'too_deep' | 'malformed_name' | 'forbidden_name' | 'conflict' | 'malformed_json';

/** A field that does not fit into the form. `field` is its name as sent, cut to a readable length. */
export class FormError extends Error {
  readonly reason: FormErrorReason;
  readonly field: string;

  constructor(reason: FormErrorReason, name: string, message: string, options?: ErrorOptions) {
    const field = name.length > 100 ? `${name.slice(0, 100)}…` : name;
    super(`Form field ${JSON.stringify(field)}: ${message}`, options);
    this.name = 'FormError';
    this.reason = reason;
    this.field = field;
  }
}

/** Collects the parts of one form, in the order they arrive. */
export interface FormTree {
  addField(name: string, value: string): void;
  addFile(name: string, file: FormFile): void;
  /** The nested object; texts stay texts, to be coerced by the schema that knows their types. */
  finish(): FormObject;
}

const fieldsMax = 200;
const depthMax = 8;
const forbiddenNames = new Set(['__proto__', 'constructor', 'prototype']);

/**
 * Turns flat form fields into the object that was meant: `a[b]=v` nests, `a[]=v` collects, `a[][b]=v` makes
 * an array of objects in which a new element starts when a key repeats (this is how openai 6.49 and 7.55
 * write them; an element that lacks keys its predecessor has is ambiguous by nature, JSON is not). A name
 * repeated without brackets collects as well. Fields named in `jsonFields` are decoded when their text
 * begins like a JSON object or array. All methods throw {@link FormError}.
 */
export function createFormTree(options: { jsonFields?: readonly string[] } = {}): FormTree {
  const jsonFields = new Set(options.jsonFields);
  const root = emptyObject();
  /** Arrays that a repeated plain name has made: only those grow by the plain name. */
  const repeated = new WeakSet<FormValue[]>();
  let fields = 0;

  function add(name: string, value: FormValue): void {
    if (++fields > fieldsMax) {
      throw new FormError('too_many_fields', name, `the form has more than ${fieldsMax} fields`);
    }
    insert({ name, path: parseName(name), repeated }, root, 0, value);
  }

  return {
    addField(name, value) {
      add(name, jsonFields.has(name) && /^\s*[{[]/.test(value) ? decodeJson(name, value) : value);
    },
    addFile: (name, file) => add(name, file),
    finish: () => root,
  };
}

type Placement = { name: string; path: readonly string[]; repeated: WeakSet<FormValue[]> };

/** `''` in a path stands for `[]`. */
function parseName(name: string): string[] {
  // Brackets are matched one by one, so a name of any length costs linear time.
  const open = name.indexOf('[');
  const path = [open < 0 ? name : name.slice(0, open)];
  for (let index = open; index >= 0 && index < name.length;) {
    const close = name.indexOf(']', index);
    if (name[index] !== '[' || close < 0) throw malformedName(name);
    path.push(name.slice(index + 1, close));
    if (path.length > depthMax)
      throw new FormError('too_deep', name, `nested more than ${depthMax} levels deep`);
    index = close + 1;
  }
  if (path[0] === '' || path.some((segment) => /[[\]]/.test(segment))) throw malformedName(name);
  const forbidden = path.find((segment) => forbiddenNames.has(segment));
  if (forbidden !== undefined)
    throw new FormError('forbidden_name', name, `${forbidden} is not allowed in a name`);
  return path;
}

function malformedName(name: string): FormError {
  return new FormError('malformed_name', name, 'the name is malformed: expected name, name[key] or name[]');
}

/**
 * Lays the value down below `node` along the path from `depth` on. Answers false, having changed nothing,
 * when the place is taken: the array nearest above then starts its next element.
 */
function insert(
  placement: Placement,
  node: FormObject | FormValue[],
  depth: number,
  value: FormValue,
): boolean {
  const { name, path } = placement;
  const segment = path[depth] as string;
  const isLast = depth === path.length - 1;

  if (Array.isArray(node)) {
    if (segment !== '') throw conflict(name);
    if (isLast) {
      node.push(value);
      return true;
    }
    const element = node.at(-1);
    const fits = path[depth + 1] === '' ? Array.isArray(element) : isFormObject(element);
    if (fits && insert(placement, element as FormObject | FormValue[], depth + 1, value)) return true;
    const next = emptyContainer(path[depth + 1] as string);
    node.push(next);
    return insert(placement, next, depth + 1, value);
  }

  if (segment === '') throw conflict(name);
  const present = node[segment];
  if (!isLast) {
    if (present === undefined) {
      const child = emptyContainer(path[depth + 1] as string);
      node[segment] = child;
      return insert(placement, child, depth + 1, value);
    }
    if (
      (!Array.isArray(present) && !isFormObject(present)) ||
      placement.repeated.has(present as FormValue[])
    ) {
      throw conflict(name);
    }
    return insert(placement, present as FormObject | FormValue[], depth + 1, value);
  }
  if (present === undefined) {
    node[segment] = value;
    return true;
  }
  if (path.includes('')) return false;
  if (Array.isArray(present) && placement.repeated.has(present)) {
    (present as FormValue[]).push(value);
    return true;
  }
  if (Array.isArray(present) || isFormObject(present)) throw conflict(name);
  const both = [present, value];
  placement.repeated.add(both);
  node[segment] = both;
  return true;
}

function conflict(name: string): FormError {
  return new FormError('conflict', name, 'contradicts the shape an earlier field gave to the same name');
}

function emptyObject(): FormObject {
  return Object.create(null) as FormObject;
}

function emptyContainer(nextSegment: string): FormObject | FormValue[] {
  return nextSegment === '' ? [] : emptyObject();
}

/** Objects made here have no prototype; files and decoded JSON are values and never grow. */
function isFormObject(value: FormValue | undefined): value is FormObject {
  return typeof value === 'object' && value !== null && Object.getPrototypeOf(value) === null;
}

function decodeJson(name: string, text: string): Json {
  try {
    return parseJson(text);
  } catch (cause) {
    if (!(cause instanceof JsonError)) throw cause;
    throw new FormError('malformed_json', name, cause.message, { cause });
  }
}
