import { homedir } from 'node:os'

import type { CommandServices, GlobalOptions } from '#cli'
import type { Configuration } from '#model'

/** Builds what commands may use. Everything heavy is loaded only when it is asked for. */
export function composeServices(options: GlobalOptions): CommandServices {
  return {
    loadConfiguration: () => loadFrom(options),
    configurationSchema: async () => (await import('./config/json-schema.ts')).configurationSchema(),
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
