import { randomBytes } from 'node:crypto'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'

/** Writes the configuration of the demo, as a person would, and one that is the same but for its password. */
export function writeConfiguration(folder: string, repository: string): void {
  for (const name of ['vault', 'wrong']) {
    writeFileSync(join(folder, `${name}.password`), `${randomBytes(24).toString('base64')}\n`, { mode: 0o600 })
  }
  writeFileSync(join(folder, 'bewaar.yaml'), textOf(repository, 'vault', './state'))
  writeFileSync(join(folder, 'wrong.yaml'), textOf(repository, 'wrong', './state-wrong'))
}

function textOf(repository: string, password: string, state: string): string {
  return `# The configuration of the demo. \`bewaar config schema\` says what else can be here.
state: ${state}

vaults:
  hot:
    location: ./vaults/hot
    password: { file: ./${password}.password }
  archive:
    location: ./vaults/archive
    tier: archive
    password: { file: ./${password}.password }

projects:
  source:
    title: The source of Bewaar
    type: node-app
    path: ${JSON.stringify(repository)}
    schedule: weekly sunday 05:00
    copies: [{ to: archive, schedule: weekly sunday 06:00 }]
  shop:
    title: A web shop
    type: node-app
    path: ./projects/shop
    schedule: every 4 hours
    copies: [{ to: archive }]         # after each run
  uploads:
    title: Uploads
    type: generic
    path: ./projects/uploads
    schedule: daily 03:00
    copies: [{ to: archive, schedule: weekly sunday 06:00 }]
`
}
