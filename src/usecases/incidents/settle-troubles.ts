import { planIncidents, reopenMs, type Incident, type SeenTrouble, type TroubleKind } from '#model'
import type { Services } from '../services.ts'

export interface SettledTroubles {
  /** Also those that were opened again. */
  readonly opened: readonly Incident[]
  readonly changed: readonly Incident[]
  readonly resolved: readonly Incident[]
}

/**
 * Brings the incidents of some kinds in line with the troubles of these kinds, all of it or nothing.
 *
 * @param kinds - those that were looked for.
 * @param troubles - all that there are of them now.
 */
export async function settleTroubles(
  { catalog, clock }: Pick<Services, 'catalog' | 'clock'>,
  kinds: readonly TroubleKind[],
  troubles: readonly SeenTrouble[],
): Promise<SettledTroubles> {
  const now = clock.now()
  const plan = (known: Parameters<typeof planIncidents>[0]) => planIncidents(known, troubles, kinds, now)
  const settled = await catalog.incidents.settle(now - reopenMs, plan, now)
  const those = (...steps: readonly string[]): Incident[] =>
    settled.filter(({ step }) => steps.includes(step)).map(({ incident }) => incident)
  return { opened: those('open', 'reopen'), changed: those('change'), resolved: those('resolve') }
}
