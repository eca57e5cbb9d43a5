/** The `mappings` of a source map (ECMA-426): base-64 numbers of any length, as differences. */
const DIGITS = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/';

/**
 * @param {string} mappings
 * @returns {number[][][]} for each line its segments: column, source, line, column, name.
 */
export function decode(mappings) {
  const last = [0, 0, 0, 0, 0];
  return mappings.split(';').map((line) => {
    last[0] = 0;
    if (line === '') return [];
    return line.split(',').map((text) => readNumbers(text).map((step, i) => (last[i] += step)));
  });
}

function readNumbers(text) {
  const numbers = [];
  let value = 0;
  let shift = 0;
  for (const sign of text) {
    const digit = DIGITS.indexOf(sign);
    value += (digit & 31) << shift;
    shift += 5;
    if ((digit & 32) !== 0) continue;
    numbers.push((value & 1) === 0 ? value >> 1 : -(value >> 1));
    value = 0;
    shift = 0;
  }
  return numbers;
}

/** The inverse of decode. */
export function encode(lines) {
  const last = [0, 0, 0, 0, 0];
  return lines
    .map((segments) => {
      last[0] = 0;
      return segments
        .map((segment) => {
          const steps = segment.map((value, i) => value - last[i]);
          for (const [i, value] of segment.entries()) last[i] = value;
          return steps.map(writeNumber).join('');
        })
        .join(',');
    })
    .join(';');
}

function writeNumber(value) {
  let left = value < 0 ? (-value << 1) | 1 : value << 1;
  let text = '';
  do {
    const digit = left & 31;
    left >>>= 5;
    text += DIGITS[left > 0 ? digit | 32 : digit];
  } while (left > 0);
  return text;
}
