import { readFile } from 'node:fs/promises'
import { homedir, hostname, tmpdir, userInfo } from 'node:os'
import { join } from 'node:path'

import packageFile from '../../package.json' with { type: 'json' }
import { AppError, systemClock, type Secret } from '#base'
import type { CommandContext, CommandServices, GlobalOptions, OpenedServices } from '#cli'
import type { Configuration, SecretReference } from '#model'
import { memoryFile } from './memory-file.ts'
import { makeTemporaryFolder } from './temporary.ts'

/** Builds what commands may use. Everything heavy is loaded only when it is asked for. */
export function composeServices(options: GlobalOptions): CommandServices {
  return {
    loadConfiguration: () => loadFrom(options),
    configurationSchema: async () => (await import('./config/json-schema.ts')).configurationSchema(),
    proposeFirst: async (folders, vault, signal) =>
      (await import('./first-configuration.ts')).proposeFirst(options.config, folders, vault, signal),
    planning: () => ({ secret: secretsOf(), temporaryFolder: () => makeTemporaryFolder(tmpdir()) }),
    open: openServices,
    readLog: async (configuration, query) => {
      const { openCatalogOrNone, catalogFile } = await import('#catalog')
      const opened = await openCatalogOrNone(catalogFile(configuration.state), { purpose: 'read' })
      await using catalog = opened.catalog
      const entries = catalog ? await catalog.log.latest(query) : []
      return { entries, ...(opened.warning === undefined ? {} : { warning: opened.warning }) }
    },
  }
}

async function loadFrom(options: GlobalOptions): Promise<Configuration> {
  const [{ locateConfiguration }, { loadConfiguration }] = await Promise.all([
    import('./config/locate.ts'),
    import('./config/load.ts'),
  ])
  const setting = {
    environment: process.env,
    workingFolder: process.cwd(),
    home: homedir(),
    root: process.getuid?.() === 0,
  }
  return loadConfiguration(await locateConfiguration(options.config, setting), setting)
}

async function openServices(
  configuration: Configuration,
  { progress, warn }: Pick<CommandContext, 'progress' | 'warn'>,
  purpose?: 'restoring',
): Promise<OpenedServices> {
  const { catalogFile, openCatalogOrNone } = await import('#catalog')
  await using resources = new AsyncDisposableStack()
  const open = async (file: string): ReturnType<typeof openCatalogOrNone> =>
    await openCatalogOrNone(file, { purpose: 'write' })
  let opened: Awaited<ReturnType<typeof open>>
  try {
    opened = await open(catalogFile(configuration.state))
  } catch (thrown) {
    if (purpose !== 'restoring' || !(thrown instanceof AppError)) throw thrown
    warn(`${thrown.message}. The restore goes on without it, and will not be in the log`)
    const passing = resources.use(await makeTemporaryFolder(tmpdir()))
    opened = await open(catalogFile(passing.path))
  }
  if (opened.warning !== undefined) warn(`${opened.warning}; \`bewaar init\` enters what the vaults hold`)
  const catalog = resources.use(opened.catalog!)
  const held = resources.move()
  return {
    services: {
      configuration,
      catalog,
      clock: systemClock,
      hostname: hostname(),
      username: userName(),
      version: packageFile.version,
      secret: secretsOf(),
      temporaryFolder: () => makeTemporaryFolder(join(configuration.state, 'temporary')),
      readText: (path) => readFile(path, 'utf8'),
      cacheFolder: join(configuration.state, 'cache', 'repositories'),
      memoryOf: (vault, project, of) => memoryFile(configuration.state, vault, project, of),
      progress,
    },
    [Symbol.asyncDispose]: () => held.disposeAsync(),
  }
}

/** Each secret is fetched once for all projects: it may come from a program that asks a person. */
function secretsOf(): (reference: SecretReference, signal?: AbortSignal) => Promise<Secret> {
  const fetched = new Map<string, Promise<Secret>>()
  return async (reference, signal) => {
    const key = JSON.stringify(reference)
    const { resolveSecret } = await import('#credentials')
    let secret = fetched.get(key)
    if (!secret) {
      secret = resolveSecret(reference, process.env, signal)
      fetched.set(key, secret)
    }
    return await secret
  }
}

/** A container may run as a user that has no name. */
function userName(): string {
  try {
    return userInfo().username
  } catch {
    return String(process.getuid?.() ?? '')
  }
}
