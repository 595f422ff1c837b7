import { ownProject, type KitRecord } from '#model'
import { gatherKit, type KitRequest, type KitServices } from './gather-facts.ts'
import { kitPage } from './kit-page.ts'

/** A kit, ready to be printed. Its pages hold the password when that was asked for. */
export interface MadeKit extends KitRecord {
  /** HTML documents; of shares one for each person, in the order of their numbers. */
  readonly pages: readonly string[]
}

/**
 * Makes a recovery kit: what a person needs who has nothing left but this paper. That it was made is recorded by
 * `recordKit`, when it lies where it belongs.
 *
 * @throws `kit.no-vaults`; `kit.passwords-differ`; with a password, what keeps it from being proven.
 */
export async function makeKit(services: KitServices, request: KitRequest, signal: AbortSignal): Promise<MadeKit> {
  const { facts, papers } = await gatherKit(services, request, signal)
  const { id, madeAt, who, vaults } = facts
  const { form, shares } = request
  return {
    id,
    madeAt,
    who,
    form,
    ...(shares && { shares }),
    vaults: vaults.map(({ name }) => name),
    pages: papers.map((paper) => kitPage(facts, paper)),
  }
}

/** Remembers that a kit was made; of the password nothing. */
export async function recordKit({ catalog }: Pick<KitServices, 'catalog'>, made: MadeKit): Promise<void> {
  const { pages: _, ...kit } = made
  await catalog.recovery.addKit(kit)
  const shares = kit.shares ? `, ${kit.shares.count} shares of which ${kit.shares.needed} are needed` : ''
  const form = { without: 'without the password', password: 'with the password', shares: 'with shares' }[kit.form]
  const text = `The recovery kit ${kit.id} was made for ${kit.vaults.join(', ')}, ${form}${shares}`
  await catalog.log.add({ time: kit.madeAt, kind: 'init', level: 'info', text, project: ownProject })
}
