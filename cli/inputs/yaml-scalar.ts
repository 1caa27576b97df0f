/**
 * What a plain (unquoted) scalar means to Kubernetes: to `sigs.k8s.io/yaml`, by which kubectl, Helm and the API server read YAML. It
 * reads YAML 1.1 in the main: `yes`, `on` and `y` are true, `0123` and `0o123` octal, `1_000` a number; but dates and `1:30`
 * stay text. `.inf` and `.nan` come back as numbers that JSON cannot express.
 */
export function readPlainScalar(text: string): null | boolean | number | string {
  if (!mayMeanMore.test(text)) return text;
  const word = words.get(text);
  if (word !== undefined) return word;
  return readNumber(text) ?? text;
}

/** Nearly all scalars are told to be text by their first character. */
const mayMeanMore = /^[-+.~0-9yYnNtTfFoO]/;

const words: ReadonlyMap<string, null | boolean | number> = new Map<string, null | boolean | number>([
  ...spellings(true, "y", "yes", "true", "on"),
  ...spellings(false, "n", "no", "false", "off"),
  ...spellings(null, "null"),
  ["~", null],
  ...spellings(Infinity, ".inf", "+.inf"),
  ...spellings(-Infinity, "-.inf"),
  ...spellings(NaN, ".nan"),
  [".NaN", NaN],
]);

/** `yes`, `Yes` and `YES`. */
function spellings<T>(value: T, ...names: readonly string[]): [string, T][] {
  return names.flatMap((name): [string, T][] => {
    const capitalized = name.replace(/[a-z]/, (letter) => letter.toUpperCase());
    return [name, capitalized, name.toUpperCase()].map((spelling) => [spelling, value]);
  });
}

const wholeNumber = /^([-+]?)(0[xX][0-9a-fA-F]+|0[bB][01]+|0[oO]?[0-7]+)$/;
const decimal = /^[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?$/;
/** What begins with a point takes underscores between digits only, as Go's numbers do. */
const fraction = /^\.[0-9]+(?:_[0-9]+)*(?:[eE][-+]?[0-9]+(?:_[0-9]+)*)?$/;

function readNumber(text: string): number | undefined {
  if (text.startsWith(".")) {
    return fraction.test(text) ? finite(Number(text.replaceAll("_", ""))) : undefined;
  }
  const plain = text.replaceAll("_", "");
  const [, sign, digits] = wholeNumber.exec(plain) ?? [];
  if (digits !== undefined) {
    const magnitude = BigInt(/^0[0-7]/.test(digits) ? `0o${digits.slice(1)}` : digits);
    // Beyond 64 bits these stay text, unless they can be read as a decimal number, too.
    if (magnitude <= largest(sign)) return (sign === "-" ? -1 : 1) * Number(magnitude);
  }
  return decimal.test(plain) ? finite(Number(plain)) : undefined;
}

function largest(sign: string | undefined): bigint {
  if (sign === "-") return 2n ** 63n;
  return sign === "+" ? 2n ** 63n - 1n : 2n ** 64n - 1n;
}

/** A number too large for a float stays text. */
function finite(number: number): number | undefined {
  return Number.isFinite(number) ? number : undefined;
}
