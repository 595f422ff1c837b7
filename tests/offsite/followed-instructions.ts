/**
 * The commands of a RESTORE.md that fetch the files from one of the vaults: its own lines, and those that come after the
 * lines of all vaults.
 */
export function commandsFrom(instructions: string, vault: string): string {
  const sections = instructions.split(/^##+ /m)
  const own = sections.find((section) => section.startsWith(`${vault}: `))
  const then = sections.find((section) => /^(Then|Daarna)\n/.test(section))
  if (own === undefined || then === undefined) throw new Error(`RESTORE.md says nothing of ${vault}`)
  return [own, then].map((section) => /^```sh\n(.*?)^```$/ms.exec(section)![1]!).join('')
}
