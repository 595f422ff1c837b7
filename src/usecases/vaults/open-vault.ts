import { createLocal, createRepository, openLocal, openRepository, type Backend, type Repository } from '#engine'
import { join } from 'node:path'

import { localFolder, type Vault } from '#model'
import type { Services } from '../services.ts'

/** A repository together with the place it lies in; disposing closes both. */
export interface OpenedVault extends AsyncDisposable {
  readonly vault: Vault
  readonly repository: Repository
}

type Needed = Pick<Services, 'clock' | 'secret'>

/** The place of a project's repository in a vault, for messages and instructions. */
export function placeOf(vault: Vault, project: string): string {
  return join(localFolder(vault), project)
}

/** The place itself, without opening what is in it: enough to list the names of its files. */
export function openPlace(vault: Vault, project: string): Promise<Backend> {
  return openLocal(placeOf(vault, project))
}

/** @throws `repository.missing`; `repository.password`; errors of the credentials and of the place. */
export async function openVault(
  services: Needed,
  vault: Vault,
  project: string,
  signal?: AbortSignal,
): Promise<OpenedVault> {
  const { clock } = services
  const backend = await openPlace(vault, project)
  return await guarded(backend, vault, async () => {
    const password = await services.secret(vault.password, signal)
    return await openRepository(backend, { password, clock }, signal)
  })
}

/**
 * Makes the repository of a project in a vault.
 *
 * @param polynomial - that of the project's other repositories, so that copies between them share their chunks.
 */
export async function createVault(
  services: Needed,
  vault: Vault,
  project: string,
  polynomial: bigint | undefined,
  signal?: AbortSignal,
): Promise<OpenedVault> {
  const { clock } = services
  const password = await services.secret(vault.password, signal)
  const backend = await createLocal(placeOf(vault, project))
  const options = { password, clock, ...(polynomial !== undefined && { polynomial }) }
  return await guarded(backend, vault, () => createRepository(backend, options, signal))
}

async function guarded(backend: Backend, vault: Vault, open: () => Promise<Repository>): Promise<OpenedVault> {
  try {
    const repository = await open()
    return {
      vault,
      repository,
      [Symbol.asyncDispose]: async () => {
        await repository[Symbol.asyncDispose]()
        await backend[Symbol.asyncDispose]()
      },
    }
  } catch (thrown) {
    await backend[Symbol.asyncDispose]()
    throw thrown
  }
}
