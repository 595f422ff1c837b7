import { AppError, randomHex } from '#base'
import { ownProject, vaultsInUse, vaultsOf, withOwnProject, type KitCheck, type Vault } from '#model'
import { usecaseError } from '../errors.ts'
import { whoOf, type Services } from '../services.ts'
import type { PlaceServices } from '../vaults/open-place.ts'
import { openVault } from '../vaults/open-vault.ts'
import type { Held } from './held-password.ts'

/** What the password that a person keeps came to in one vault. */
export interface CheckedVault {
  readonly vault: string
  /** Repositories that it opened. */
  readonly opened: number
  /** What it did not open, and why. */
  readonly failures: readonly { readonly project: string; readonly error: AppError }[]
}

export interface KitCheckReport extends Pick<KitCheck, 'status' | 'by' | 'kit'> {
  readonly vaults: readonly CheckedVault[]
}

type Needed = PlaceServices & Pick<Services, 'catalog' | 'hostname' | 'progress' | 'username'>

/**
 * Proves that what a person holds opens everything in the vaults, and records the day. The password that the configuration
 * refers to is not used.
 *
 * @param only - vaults by name; none: all in use. @throws `kit.no-vaults`.
 */
export async function checkKit(
  given: Needed,
  held: Held,
  only: readonly string[],
  signal: AbortSignal,
): Promise<KitCheckReport> {
  const { catalog, clock } = given
  const configuration = withOwnProject(given.configuration)
  const vaults = vaultsInUse(given.configuration).filter(({ name }) => only.length === 0 || only.includes(name))
  if (vaults.length === 0) throw usecaseError('kit.no-vaults', {})
  const passwords = new Set(vaults.map(({ password }) => password))
  const services: Needed = {
    ...given,
    configuration,
    secret: async (reference, stop) => (passwords.has(reference) ? held.secret : await given.secret(reference, stop)),
  }
  const checked: CheckedVault[] = []
  for (const vault of vaults) checked.push(await checkVault(services, vault, signal))
  const isWhole = ({ opened, failures }: CheckedVault): boolean => opened > 0 && failures.length === 0
  const whole = checked.filter(isWhole).map(({ vault }) => vault)
  const status = whole.length === checked.length ? 'complete' : 'failed'
  const { by, kit } = held
  const about = { by, status, ...(kit !== undefined && { kit }) } as const
  const at = clock.now()
  await catalog.recovery.addCheck({ id: randomHex(8), at, who: whoOf(services), ...about, vaults: whole })
  const text = `The recovery kit was checked by ${by}: ${whole.length === 0 ? 'nothing was opened' : `opens ${whole.join(', ')}`}`
  await catalog.log.add({
    time: at,
    kind: 'test',
    level: status === 'complete' ? 'info' : 'error',
    text,
    project: ownProject,
  })
  return { ...about, vaults: checked }
}

async function checkVault(services: Needed, vault: Vault, signal: AbortSignal): Promise<CheckedVault> {
  const { configuration } = services
  const projects = configuration.projects.filter((project) => vaultsOf(configuration, project).includes(vault))
  const failures: { project: string; error: AppError }[] = []
  let opened = 0
  for (const [index, { name }] of projects.entries()) {
    services.progress({
      label: `opening ${vault.name}`,
      done: index,
      total: projects.length,
      unit: 'items',
      detail: name,
    })
    try {
      await (await openVault(services, vault, name, signal))[Symbol.asyncDispose]()
      opened++
    } catch (error) {
      if (signal.aborted || !(error instanceof AppError)) throw error
      // because it comes with the first run
      if (name !== ownProject || error.code !== 'repository.missing') failures.push({ project: name, error })
    }
  }
  return { vault: vault.name, opened, failures }
}
