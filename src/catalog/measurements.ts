import type { Kysely } from 'kysely'

import type { RepositorySize, VaultMeasurement } from '#model'
import type { Tables } from './tables.ts'

export interface MeasurementStore {
  /** All of it is stored or nothing. */
  add(measurement: VaultMeasurement): Promise<void>
  /** Those of a vault that are not earlier than `since` (milliseconds since 1970), oldest first. */
  list(vault: string, since: number): Promise<VaultMeasurement[]>
}

export function createMeasurementStore(database: Kysely<Tables>): MeasurementStore {
  return {
    add: async ({ vault, at, repositories, space }) => {
      const rows = repositories.map(({ project, files, bytes, olderBytes }) => ({
        vault,
        at,
        project,
        files,
        bytes,
        older_bytes: olderBytes,
      }))
      await database.transaction().execute(async (transaction) => {
        const sizes = { size_bytes: space?.sizeBytes ?? null, free_bytes: space?.freeBytes ?? null }
        await transaction
          .replaceInto('measurement')
          .values({ vault, at, ...sizes })
          .execute()
        if (rows.length > 0) await transaction.replaceInto('repository_size').values(rows).execute()
      })
    },
    list: async (vault, since) => {
      const heads = await database
        .selectFrom('measurement')
        .selectAll()
        .where('vault', '=', vault)
        .where('at', '>=', since)
        .orderBy('at')
        .execute()
      const rows = await database
        .selectFrom('repository_size')
        .selectAll()
        .where('vault', '=', vault)
        .where('at', '>=', since)
        .orderBy('project')
        .execute()
      const sizes = Map.groupBy(rows, ({ at }) => at)
      return heads.map(({ at, size_bytes: sizeBytes, free_bytes: freeBytes }) => ({
        vault,
        at,
        repositories: (sizes.get(at) ?? []).map(
          ({ project, files, bytes, older_bytes: olderBytes }): RepositorySize => ({
            project,
            files,
            bytes,
            olderBytes,
          }),
        ),
        ...(sizeBytes !== null && freeBytes !== null && { space: { sizeBytes, freeBytes } }),
      }))
    },
  }
}
