import type { ProjectFacts, VaultFacts } from './project-facts.ts'
import { isLate } from './reasons.ts'
import type { Vault } from './vault.ts'
import { judgeWorth, listed } from './worth.ts'

/** One of the five numbers of 3-2-1-1-0. */
export interface RuleMet {
  readonly rule: 'copies' | 'places' | 'offsite' | 'immutable' | 'errors'
  readonly found: number
  /** At least so many; of errors, at most. */
  readonly wanted: number
  readonly isMet: boolean
  /** What is missing and what to do, for people; '' when it is met. */
  readonly advice: string
}

/**
 * How a project stands by the rule 3-2-1-1-0: three copies, the original counted; in two places; one of them at another site
 * than the vault that runs write to; one that nobody with the backup's own keys can change; no errors.
 *
 * What `place:` does not say is not assumed: two vaults that may be on one site are on one. A vault counts when its newest
 * backup is in time, and is immutable when that held when it was tried, not long ago.
 */
export function judgeThreeTwoOne(facts: ProjectFacts, now: number): readonly RuleMet[] {
  const holding = facts.vaults.filter((one) => !isLate(facts, one, now))
  return [
    copies(facts, holding),
    places(facts, holding),
    offsite(facts, holding),
    immutable(holding, now),
    errors(facts),
  ]
}

/** Where a vault lies as far as anybody knows: two that give the same word burn together. */
function placeOf({ place, location }: Vault): string {
  if (place?.site !== undefined) return `site ${place.site.trim().toLowerCase()}`
  switch (location.kind) {
    case 'local':
      return 'this machine'
    case 's3':
      return `host ${new URL(location.endpoint).hostname}`
    case 'rest':
      return `host ${new URL(location.url).hostname}`
    case 'sftp':
    case 'rest-ssh':
      return `host ${location.host.toLowerCase()}`
    default:
      return location satisfies never
  }
}

function placesOf(vaults: readonly VaultFacts[]): Map<string, string[]> {
  const names = Map.groupBy(vaults, ({ vault }) => placeOf(vault))
  return new Map([...names].map(([place, facts]) => [place, facts.map(({ vault }) => vault.name)]))
}

function copies({ vaults }: ProjectFacts, holding: readonly VaultFacts[]): RuleMet {
  const found = 1 + placesOf(holding).size
  const shared = [...placesOf(holding).values()].filter((names) => names.length > 1)
  const late = vaults.filter((one) => !holding.includes(one)).map(({ vault }) => vault.name)
  const parts = [
    ...shared.map((names) => `${listed(names)} are in one place and count once`),
    ...(late.length > 0 ? [`${listed(late)} ${late.length === 1 ? 'has' : 'have'} no backup in time`] : []),
  ]
  const missing = 3 - found
  const advice = `Add ${missing === 1 ? 'a vault' : 'two vaults'} in another place to \`copies\``
  return rule('copies', found, 3, [...parts, advice])
}

/** The original is where its project is: with a vault of the same machine, or on a server of its own. */
function places({ project, vaults }: ProjectFacts, holding: readonly VaultFacts[]): RuleMet {
  const here = vaults.map(({ vault }) => vault).find(({ location }) => location.kind === 'local')
  const own =
    project.on?.kind === 'ssh' ? `host ${project.on.host.toLowerCase()}` : here ? placeOf(here) : 'this machine'
  const found = new Set([own, ...placesOf(holding).keys()]).size
  return rule('places', found, 2, ['Everything is in one place: copy to a vault that is not on this machine'])
}

function offsite({ vaults }: ProjectFacts, holding: readonly VaultFacts[]): RuleMet {
  const [main] = vaults
  const site = main && siteOf(main.vault)
  const others = holding.filter((one) => one !== main)
  const away = site === undefined ? [] : others.filter(({ vault }) => ![undefined, site].includes(siteOf(vault)))
  const nameless = [...(main && site === undefined ? [main] : []), ...others.filter(({ vault }) => !siteOf(vault))]
  const names = listed(nameless.map(({ vault }) => vault.name))
  const unknown = `Nobody knows where ${names} ${nameless.length === 1 ? 'is' : 'are'}: say so with \`place: { site: … }\``
  const same = others.filter(({ vault }) => site !== undefined && siteOf(vault) === site).map(({ vault }) => vault.name)
  const advice = [
    ...(same.length > 0 ? [`${listed(same)} and ${main!.vault.name} are on one site, and burn together`] : []),
    ...(others.length > 0 && nameless.length > 0 ? [unknown] : ['Copy to a vault on another site']),
  ]
  return rule('offsite', away.length, 1, advice)
}

function siteOf({ place }: Vault): string | undefined {
  return place?.site?.trim().toLowerCase()
}

function immutable(holding: readonly VaultFacts[], now: number): RuleMet {
  const judged = holding.map(({ vault, probe }) => ({ name: vault.name, ...judgeWorth(probe, now) }))
  const kept = judged.filter(({ worth, isStale }) => !isStale && (worth === 'append-only' || worth === 'locked'))
  const untried = judged.filter(({ text, isStale }) => isStale || text === 'never tried').map(({ name }) => name)
  const advice =
    untried.length > 0
      ? `${listed(untried)} ${untried.length === 1 ? 'was' : 'were'} not tried lately: run \`bewaar vault probe\``
      : 'Whoever has this machine can destroy every copy: copy to a bucket with Object Lock, or to an append-only server'
  return rule('immutable', kept.length, 1, [advice])
}

function errors({ project, lastRun, vaults }: ProjectFacts): RuleMet {
  const named = (isWrong: (facts: VaultFacts) => boolean): string[] =>
    vaults.filter(isWrong).map(({ vault }) => vault.name)
  const wrong = {
    'never verified': named(({ lastVerification }) => lastVerification === undefined),
    damaged: named(({ lastVerification }) => lastVerification?.status === 'damaged'),
    'could not be verified': named(({ lastVerification }) => lastVerification?.status === 'failed'),
    'last copy failed': named(({ lastCopy }) => lastCopy?.status === 'failed'),
    [`last run ${lastRun?.status}`]: lastRun?.status === 'failed' || lastRun?.status === 'incomplete' ? ['1'] : [],
  }
  const found = Object.values(wrong).flat().length
  const parts = Object.entries(wrong).flatMap(([text, names]) => {
    if (names.length === 0) return []
    return [text.startsWith('last run') ? text : `${text}: ${listed(names)}`]
  })
  const advice = `${parts.join('; ')}. Run \`bewaar verify --project=${project.name}\``
  return { rule: 'errors', found, wanted: 0, isMet: found === 0, advice: found > 0 ? advice : '' }
}

function rule(name: RuleMet['rule'], found: number, wanted: number, advice: readonly string[]): RuleMet {
  const isMet = found >= wanted
  return { rule: name, found, wanted, isMet, advice: isMet ? '' : advice.join('; ') }
}
