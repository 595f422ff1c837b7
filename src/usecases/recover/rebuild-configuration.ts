import { formatLocation, projectTypes, type Vault } from '#model'
import { scalar } from '../projects/propose-configuration.ts'
import type { RecoverableProject } from './list-projects.ts'

/** Beside the configuration. */
export const passwordName = 'vault.password'

/**
 * A configuration made of what a vault holds, for who has lost theirs: what the newest backup of each project says of where
 * it was. What nobody can know from there is left for a person.
 */
export function rebuildConfiguration(vault: Vault, projects: readonly RecoverableProject[]): string {
  const { location, identity, knownHosts, authorities } = vault
  const lines = [
    '# Made by `bewaar recover` from what lies in the vault, because the vault holds no backup of a configuration.',
    '# Look at the paths, the schedules and the vaults; `bewaar config check` says whether it is right.',
    '',
    'vaults:',
    '  recovered:',
    `    location: ${scalar(formatLocation(location))}`,
    `    password: { file: ./${passwordName} }`,
    ...(identity !== undefined && 'file' in identity ? [`    identity: { file: ${scalar(identity.file)} }`] : []),
    ...(knownHosts === undefined ? [] : [`    known-hosts: ${scalar(knownHosts)}`]),
    ...(authorities === undefined ? [] : [`    ca: ${scalar(authorities)}`]),
    ...(location.kind === 's3'
      ? ['    access-key: { env: AWS_ACCESS_KEY_ID }', '    secret-key: { env: AWS_SECRET_ACCESS_KEY }']
      : []),
    ...(vault.loginPassword ? ['    login-password: { env: RESTIC_REST_PASSWORD }'] : []),
    '',
    'projects:',
    ...projects.flatMap(ofProject),
  ]
  return `${lines.join('\n').trimEnd()}\n`
}

function ofProject({ name, manifest, error }: RecoverableProject): string[] {
  if (!manifest) {
    const reason = error === undefined ? 'it holds no backup of a run' : 'its backups cannot be read'
    return [`  # ${name}: ${reason}`, '']
  }
  const { type, path, title, host } = manifest
  const known = projectTypes.find((one) => one === type)
  return [
    `  # was on ${comment(host)}`,
    `  ${name}:`,
    ...(title === name ? [] : [`    title: ${scalar(title)}`]),
    `    type: ${known ?? 'generic'}`,
    `    path: ${scalar(path)}`,
    '    schedule: daily 03:00',
    '',
  ]
}

/** On one line, whatever a backup says. */
function comment(text: string): string {
  return text.replace(/[\p{C}\p{Zl}\p{Zp}]+/gu, ' ')
}
