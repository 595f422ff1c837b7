import { rawPathOf, type Host, type SourceFinding } from '#sources'
import { serverOf } from '../server-databases.ts'
import { describeConnection } from './describe-connection.ts'
import { readPhp } from './php-array.ts'
import { findIn, isArray, type PhpArray } from './php-value.ts'
import type { LaravelSettings } from './settings.ts'

/**
 * Says when an application runs with cached settings (`php artisan config:cache`) that name another default database
 * than its `.env` and settings files do: it then writes to one that is not dumped.
 */
export async function findOutdatedCache(
  settings: LaravelSettings,
  usual: PhpArray | undefined,
  host: Host,
): Promise<SourceFinding | undefined> {
  const { base, environment } = settings
  const subject = `${base}/bootstrap/cache/config.php`
  const source = usual && (await host.findText(rawPathOf(subject)))
  if (source === undefined) return undefined
  const { value } = readPhp(source, { environment, base, folder: `${base}/bootstrap/cache` })
  const name = findIn(value, 'database', 'default')
  const cached = typeof name === 'string' ? findIn(value, 'database', 'connections', name) : undefined
  if (!isArray(cached) || placeOf(cached, settings) === placeOf(usual!, settings)) return undefined
  const text =
    'The application runs with these cached settings, and they name another default database than .env does; ' +
    'run `php artisan config:cache`, or name the one that is in use under `databases`'
  return { subject, severity: 'warning', text }
}

/** The same text for the same database. */
function placeOf(connection: PhpArray, settings: LaravelSettings): string {
  const { server, sqlite } = describeConnection('default', connection, settings)
  // Because a cache that was made in a container has the container's folders.
  if (sqlite !== undefined) return sqlite.slice(sqlite.lastIndexOf('/') + 1)
  return server ? `${serverOf(server)} ${server.name ?? ''}` : ''
}
