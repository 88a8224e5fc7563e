import type { Json } from './json.ts';

/**
 * Puts a value where a dotted path points (`faces.0.image`), in place. A path that leads nowhere changes nothing:
 * whoever names it speaks of an answer that may lack the place.
 */
export function setPath(root: Json, path: string, value: Json): void {
  const steps = path.split('.');
  const last = steps.pop()!;
  let place: Json | undefined = root;
  for (const step of steps) place = child(place, step);
  if (Array.isArray(place)) {
    const index = Number(last);
    if (Number.isInteger(index) && index >= 0 && index < place.length) place[index] = value;
  } else if (typeof place === 'object' && place !== null && last !== '__proto__') {
    place[last] = value;
  }
}

function child(place: Json | undefined, step: string): Json | undefined {
  if (Array.isArray(place)) return place[Number(step)];
  if (typeof place !== 'object' || place === null || !Object.hasOwn(place, step)) return undefined;
  return place[step];
}
