/**
 * Text from a manifest as it can be shown: characters that steer a terminal, break a line, or hide or reorder other text are
 * written as `\u{1b}`. Names of real Kubernetes objects have none of them; a file that claims to be a manifest may.
 */
export function printable(text: string): string {
  return text.replace(
    /[\p{C}\p{M}]|[^\S ]/gu,
    (character) => `\\u{${(character.codePointAt(0) ?? 0).toString(16)}}`,
  );
}
