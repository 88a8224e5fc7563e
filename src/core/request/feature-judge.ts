/**
 * Judges a feature by its description: every value is read by the kind of its field, defaults are filled, and what lies
 * outside is refused by a GatewayError that names the field as the caller spelled it. Fields that no description names
 * are ignored, as the makers of such requests do.
 */
import type { Json } from '../../lib/json.ts';
import { GatewayError, type Warning } from '../errors.ts';
import { watermarkClaim } from './controls.ts';
import type { FeatureRequest, LooseFeature, MediaUse, ResolvedFeature, ResourceUse } from './feature.ts';
import type { Asked, FeatureDescription, Field, ObjectField } from './feature-field.ts';
import { readMedia } from './media.ts';
import {
  invalid,
  isGiven,
  isObject,
  oneOf,
  readFlag,
  readId,
  readList,
  readNumber,
  readNumberWithin,
  readObject,
  readText,
  readWord,
  show,
} from './read.ts';
import type { Claim, Sources } from './types.ts';

/** Where a value stands: as the caller spelled it, and as a dotted path in `parameters`. */
interface Place {
  source: string;
  path: string;
}

interface Found {
  media: MediaUse[];
  resources: ResourceUse[];
}

/** Resolves a request by the description it is for. `requestedModel` and `model` are settled by the family. */
export function judgeFeature(
  loose: LooseFeature,
  description: FeatureDescription,
  settled: { family: string; model: string; requestedModel: string },
): ResolvedFeature {
  const { family, model, requestedModel } = settled;
  const found: Found = { media: [], resources: [] };
  const warnings: Warning[] = [];
  const shape =
    typeof description.parameters === 'function' ? description.parameters(model) : description.parameters;
  const parameters = readFields(loose.fields, shape, { source: '', path: '' }, found);
  const asked: Asked = {
    operation: description.operation,
    model,
    parameters,
    warnings,
    isGiven: (name) => Object.hasOwn(loose.fields, name) && isSaid(loose.fields[name]),
    drop(name, code, message) {
      const isHere = (use: { path: string }) => use.path === name || use.path.startsWith(`${name}.`);
      found.media = found.media.filter((use) => !isHere(use));
      found.resources = found.resources.filter((use) => !isHere(use));
      delete parameters[name];
      warnings.push({ code, field: name, message });
    },
  };
  description.check?.(asked);
  const bill = description.bill(asked);
  const sources: Sources = { model: loose.model === null ? 'default' : 'model_name' };
  for (const name of Object.keys(parameters)) sources[name] = asked.isGiven(name) ? name : 'default';
  const prompt = description.prompt === undefined ? '' : parameters[description.prompt];
  const request: FeatureRequest = {
    kind: 'feature',
    family,
    operation: description.operation,
    model,
    requestedModel,
    makes: description.makes,
    immediate: description.immediate,
    prompt: typeof prompt === 'string' ? prompt : '',
    seconds: bill.seconds ?? null,
    count: bill.count ?? 1,
    parameters,
    media: found.media,
    resources: found.resources,
    watermark: readWatermark(loose.fields['watermark_info']),
    retention: { mode: null, expiresAt: null, mediaName: null, classId: null },
    ...(bill.billsOutputLength === true && { billsOutputLength: true }),
  };
  return {
    request,
    tier: bill.tier,
    quantity: bill.quantity,
    quantityMax: bill.quantityMax ?? bill.quantity,
    sources,
    warnings,
  };
}

/** Absent, null, blank text and empty lists say nothing: forms and some clients send fields they leave empty. */
function isSaid(value: unknown): boolean {
  return isGiven(value) && !(typeof value === 'string' && value.trim() === '');
}

function readWatermark(value: unknown): boolean {
  return isSaid(value) && readFlag(watermarkClaim({ source: 'watermark_info', value }));
}

function readFields(
  values: Record<string, unknown>,
  shape: Omit<ObjectField, 'kind'>,
  place: Place,
  found: Found,
): Record<string, Json> {
  const read: Record<string, Json> = {};
  const at = (name: string): Place =>
    place.path === ''
      ? { source: name, path: name }
      : { source: `${place.source}.${name}`, path: `${place.path}.${name}` };
  for (const [name, field] of Object.entries(shape.fields)) {
    const value = Object.hasOwn(values, name) ? values[name] : undefined;
    if (isSaid(value)) read[name] = readField({ ...at(name), value }, field, found);
    else if ('default' in field && field.default !== undefined) read[name] = field.default;
    else if (field.required) throw missing(at(name).source, field);
  }
  for (const [name, field] of Object.entries(shape.fields)) {
    const { requiredWhen } = field;
    if (requiredWhen === undefined || name in read) continue;
    const decides = read[requiredWhen.field];
    if (typeof decides === 'string' && requiredWhen.is.includes(decides)) {
      throw missing(at(name).source, field, ` with ${requiredWhen.field} ${decides}`);
    }
  }
  for (const group of shape.exactlyOne ?? []) checkExactlyOne(group, read, (name) => at(name).source);
  return read;
}

function checkExactlyOne(
  group: readonly string[],
  read: Record<string, Json>,
  sourceOf: (name: string) => string,
): void {
  const given = group.filter((name) => name in read);
  if (given.length === 1) return;
  const names = group.map(sourceOf);
  if (given.length === 0) {
    throw new GatewayError(
      'missing_required_parameter',
      `${oneOf(names)} is required: exactly one of them.`,
      {
        param: names[0]!,
      },
    );
  }
  throw invalid(sourceOf(given[1]!), `cannot be combined with ${sourceOf(given[0]!)}: give one of them.`);
}

type Here = Place & Claim;

function readField(here: Here, field: Field, found: Found): Json {
  switch (field.kind) {
    case 'text': {
      const text = readText(here).trim();
      // A character may take two units of a string, so only a long text needs the exact count.
      if (text.length > field.max && [...text].length > field.max) {
        throw invalid(here.source, `must have at most ${field.max} characters.`);
      }
      return text;
    }
    case 'number': {
      const number = readNumberWithin(here, field.min, field.max);
      if (field.decimals !== undefined && Number(number.toFixed(field.decimals)) !== number) {
        throw invalid(
          here.source,
          `must have at most ${field.decimals} digit after the point, not ${show(here.value)}.`,
        );
      }
      return number;
    }
    case 'integer': {
      const number = readNumber(here);
      if (!Number.isSafeInteger(number) || number < field.min || number > field.max) {
        throw invalid(here.source, `must be ${wanted(field)}, not ${show(here.value)}.`);
      }
      return number;
    }
    case 'word': {
      const value = typeof here.value === 'number' ? String(here.value) : here.value;
      return readWord({ source: here.source, value }, field.words);
    }
    case 'flag':
      return readFlag(here);
    case 'media': {
      const media = readMedia(here);
      if (field.urlOnly && media.kind === 'inline') {
        throw invalid(
          here.source,
          'must be an http(s) URL or a file: base64 and data URIs are not accepted here.',
        );
      }
      found.media.push({ path: here.path, role: field.role, media });
      return null;
    }
    case 'id':
      return readId(here);
    case 'resource': {
      const id = readId(here);
      if (field.digits && !/^\d{1,20}$/.test(id)) {
        throw invalid(here.source, `must be a whole number, not ${show(id)}.`);
      }
      found.resources.push({ path: here.path, kind: field.resource, id, upstreamId: null });
      return null;
    }
    case 'list': {
      const entries = readList(here);
      if (entries.length < field.min || entries.length > field.max) {
        throw invalid(here.source, `must be ${wanted(field)}, not ${entries.length}.`);
      }
      return entries.map((entry, index) =>
        readField({ ...entry, path: `${here.path}.${index}` }, field.of, found),
      );
    }
    case 'object': {
      const { bare } = field;
      if (bare !== undefined && !isObject(here.value)) {
        return readFields({ [bare]: here.value }, field, here, found);
      }
      return readFields(readObject(here), field, here, found);
    }
    case 'unavailable':
      throw new GatewayError(
        'unsupported_parameter',
        `${here.source} is not available here: ${field.instead}`,
        {
          param: here.source,
        },
      );
  }
}

function missing(source: string, field: Field, when = ''): GatewayError {
  return new GatewayError('missing_required_parameter', `${source} is required${when}: ${wanted(field)}.`, {
    param: source,
  });
}

/** What a field takes, in words. */
function wanted(field: Field): string {
  switch (field.kind) {
    case 'text':
      return `text of at most ${field.max} characters`;
    case 'number':
      return `a number from ${field.min} to ${field.max}`;
    case 'integer':
      return `a whole number from ${field.min} to ${field.max}`;
    case 'word':
      return oneOf(field.words);
    case 'flag':
      return 'true or false';
    case 'media':
      return field.urlOnly ? 'an http(s) URL' : 'an http(s) URL or base64 data';
    case 'id':
      return 'an id';
    case 'resource':
      return `the id of a ${field.resource}`;
    case 'list':
      return field.min === field.max
        ? `a list of ${field.min}`
        : `a list of ${field.min} to ${field.max} entries`;
    case 'object':
      return `an object with ${oneOf(Object.keys(field.fields))}`;
    case 'unavailable':
      return field.instead;
  }
}
