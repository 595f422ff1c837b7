/** Says why a word of the command line cannot stand where it stands. */
export class Refusal extends Error {
  override readonly name = 'Refusal'
}
