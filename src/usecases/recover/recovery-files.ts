/** How a recovery writes to the disk of the new machine: nothing that is there is ever replaced. */
export interface RecoveryFiles {
  /** Whether anything is there, be it a link that leads nowhere. */
  isThere(path: string): Promise<boolean>
  /**
   * Writes a file that only its owner can read, whole or not at all, and the folders above it.
   *
   * @throws `recover.exists`; `config.unwritable`.
   */
  writeNew(path: string, content: AsyncIterable<Uint8Array>): Promise<void>
}
