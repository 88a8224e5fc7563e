/** Where a text stops being JSON, and why. */
export type JsonFault = { position: number; message: string };

/**
 * Finds the first character at which a text stops being JSON. V8's own message lacks the position for most
 * faults, so this walks the grammar once more, only for texts that `JSON.parse` has refused already.
 */
export function findJsonFault(text: string): JsonFault {
  const open: number[] = [];
  let expects: 'value' | 'first_item' | 'first_key' | 'key' | 'colon' | 'comma' = 'value';
  let index = 0;

  for (;;) {
    index = skipSpace(text, index);
    if (index >= text.length) return { position: text.length, message: 'the text ends too early' };
    const code = text.charCodeAt(index);

    if (expects === 'colon') {
      if (code !== 0x3a) return { position: index, message: "expected ':'" };
      expects = 'value';
      index++;
    } else if (expects === 'comma') {
      const opener = open.at(-1);
      if (opener === undefined) return { position: index, message: 'unexpected text after the value' };
      if (code === 0x2c) expects = opener === 0x7b ? 'key' : 'value';
      else if (code === opener + 2) open.pop();
      else return { position: index, message: `expected ',' or '${String.fromCharCode(opener + 2)}'` };
      index++;
    } else if (expects === 'key' || expects === 'first_key') {
      if (code === 0x7d && expects === 'first_key') {
        open.pop();
        expects = 'comma';
        index++;
        continue;
      }
      if (code !== 0x22) return { position: index, message: 'expected a property name in double quotes' };
      const string = readString(text, index);
      if (typeof string !== 'number') return string;
      expects = 'colon';
      index = string;
    } else if (code === 0x5d && expects === 'first_item') {
      open.pop();
      expects = 'comma';
      index++;
    } else if (code === 0x7b || code === 0x5b) {
      // '}' and ']' both lie two code points after their openers.
      open.push(code);
      expects = code === 0x7b ? 'first_key' : 'first_item';
      index++;
    } else {
      const scalar = code === 0x22 ? readString(text, index) : readWord(text, index);
      if (typeof scalar !== 'number') return scalar;
      expects = 'comma';
      index = scalar;
    }
    if (expects === 'comma' && open.length === 0 && skipSpace(text, index) >= text.length) {
      return { position: 0, message: 'not JSON' };
    }
  }
}

function skipSpace(text: string, start: number): number {
  let index = start;
  for (; index < text.length; index++) {
    const code = text.charCodeAt(index);
    if (code !== 0x20 && code !== 0x0a && code !== 0x0d && code !== 0x09) break;
  }
  return index;
}

/** The index after the string that opens at `start`, or the fault in it. */
function readString(text: string, start: number): number | JsonFault {
  for (let index = start + 1; index < text.length; index++) {
    const code = text.charCodeAt(index);
    if (code === 0x22) return index + 1;
    if (code < 0x20) return { position: index, message: 'a control character inside a string' };
    if (code !== 0x5c) continue;
    const escape = text[index + 1] ?? '';
    if (escape === '') break;
    if (escape === 'u') {
      if (!/^[0-9a-fA-F]{4}$/.test(text.slice(index + 2, index + 6))) {
        return { position: index, message: 'a broken \\u escape' };
      }
      index += 5;
    } else if ('"\\/bfnrt'.includes(escape)) index++;
    else return { position: index, message: 'an unknown escape' };
  }
  return { position: text.length, message: 'a string without its closing quote' };
}

const words = ['true', 'false', 'null'];
const number = /-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?/y;

/** The index after the number, `true`, `false` or `null` at `start`, or the fault. */
function readWord(text: string, start: number): number | JsonFault {
  for (const word of words) if (text.startsWith(word, start)) return start + word.length;
  number.lastIndex = start;
  if (number.test(text)) return number.lastIndex;
  const character = String.fromCodePoint(text.codePointAt(start) ?? 0);
  return { position: start, message: `unexpected ${JSON.stringify(character)}` };
}
