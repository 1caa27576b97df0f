/** What is wrong with the text of a document, in the words of a message. */
export interface TextProblem {
  /** As in `is a YAML directive`. */
  readonly problem: string;
  readonly allowed: string;
  readonly fix: string;
}

/** Text that cannot be read as documents of YAML or JSON. Whoever knows the name of the text makes a message of it. */
export class DocumentProblem extends Error {
  override readonly name = "DocumentProblem";

  /**
   * @param document from 1
   * @param line from 1, in the whole text
   */
  constructor(
    readonly document: number,
    readonly line: number,
    readonly text: TextProblem,
  ) {
    super(text.problem);
  }
}
