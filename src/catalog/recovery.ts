import type { Kysely } from 'kysely'

import type { KitCheck, KitForm, KitRecord, OwnBackup } from '#model'
import { fromJson, present, toJson } from './rows.ts'
import type { Tables } from './tables.ts'

/** What would bring Bewaar itself back: its own backups, the kits, and the proofs of the password. */
export interface RecoveryStore {
  /** Replaces what is known of the vault; the newest backup that was made stays known when an attempt fails. */
  recordOwn(backup: OwnBackup): Promise<void>
  ownBackups(): Promise<OwnBackup[]>
  addKit(kit: KitRecord): Promise<void>
  /** Newest first. */
  kits(): Promise<KitRecord[]>
  addCheck(check: KitCheck): Promise<void>
  /** Newest first. */
  checks(): Promise<KitCheck[]>
}

export function createRecoveryStore(database: Kysely<Tables>): RecoveryStore {
  return {
    recordOwn: async ({ vault, triedAt, madeAt, snapshot, of, error }) => {
      const made = madeAt === undefined ? {} : { made_at: madeAt, snapshot: snapshot ?? null, made_of: of ?? null }
      const changes = { tried_at: triedAt, error: error ?? null, ...made }
      await database
        .insertInto('own_backup')
        .values({ vault, made_at: null, snapshot: null, made_of: null, ...changes })
        .onConflict((conflict) => conflict.column('vault').doUpdateSet(changes))
        .execute()
    },
    ownBackups: async () => {
      const rows = await database.selectFrom('own_backup').selectAll().orderBy('vault').execute()
      return rows.map(({ vault, tried_at: triedAt, made_at: madeAt, snapshot, made_of: of, error }) => ({
        vault,
        triedAt,
        ...present({ madeAt, snapshot, of, error }),
      }))
    },
    addKit: async ({ id, madeAt, who, form, shares, vaults }) => {
      await database
        .insertInto('kit')
        .values({
          id,
          made_at: madeAt,
          who,
          form,
          shares_needed: shares?.needed ?? null,
          shares_count: shares?.count ?? null,
          vaults: toJson(vaults),
        })
        .execute()
    },
    kits: async () => {
      const rows = await database.selectFrom('kit').selectAll().orderBy('made_at', 'desc').orderBy('id').execute()
      return rows.map(({ id, made_at: madeAt, who, form, shares_needed: needed, shares_count: count, vaults }) => ({
        id,
        madeAt,
        who,
        form: form as KitForm,
        ...(needed !== null && count !== null && { shares: { needed, count } }),
        vaults: fromJson<string[]>(vaults, []),
      }))
    },
    addCheck: async ({ kit, vaults, ...check }) => {
      await database
        .insertInto('kit_check')
        .values({ ...check, kit: kit ?? null, vaults: toJson(vaults) })
        .execute()
    },
    checks: async () => {
      const rows = await database.selectFrom('kit_check').selectAll().orderBy('at', 'desc').orderBy('id').execute()
      return rows.map(({ kit, by, status, vaults, ...row }) => ({
        ...row,
        by: by as KitCheck['by'],
        status: status as KitCheck['status'],
        ...present({ kit }),
        vaults: fromJson<string[]>(vaults, []),
      }))
    },
  }
}
