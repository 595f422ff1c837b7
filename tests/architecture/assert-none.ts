import assert from 'node:assert/strict'

/** Fails with one line for each violation; a line names the file, the rule and the rule's reason. */
export function assertNone(violations: readonly string[]): void {
  if (violations.length > 0) assert.fail(`${violations.length} broken:\n${violations.join('\n')}`)
}
