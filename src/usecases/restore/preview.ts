import { join } from 'node:path'

import type { RestorePlan } from '#engine'
import { estimateSeconds, type Finding, type Project, type RestoreRecord } from '#model'
import type { Services } from '../services.ts'
import type { FolderPlan } from './folder-plans.ts'
import type { FolderPreview } from './request.ts'

const examplesShown = 10

export function previewFolders(plans: readonly FolderPlan[]): FolderPreview[] {
  return plans.map(({ what, target, plan }) => ({
    what,
    target,
    created: plan.counts.created + plan.counts.folders,
    overwritten: plan.counts.overwritten,
    unchanged: plan.counts.unchanged,
    removed: plan.counts.removed,
    bytes: plan.bytes,
  }))
}

/** Files that a kind of change concerns, the first of them. */
export function examplesOf(plans: readonly FolderPlan[], change: 'overwrite' | 'remove'): string[] {
  const examples: string[] = []
  for (const { plan, target } of plans) {
    for (const { path } of plan.changes(change)) {
      if (examples.length === examplesShown) return examples
      examples.push(join(target, path.toString()))
    }
  }
  return examples
}

/** What the plans found to be wrong with the snapshot or the target. */
export function findingsOf(plans: readonly FolderPlan[], about: { vault: string; project: string }): Finding[] {
  return plans.flatMap(({ plan }) => fromEngine(plan.findings, about))
}

export function fromEngine(
  findings: RestorePlan['findings'],
  about: { readonly vault?: string; readonly project: string },
): Finding[] {
  return findings.map(({ severity, path, text }) => ({
    ...about,
    subject: path,
    severity: severity === 'failed' ? 'warning' : severity,
    text,
  }))
}

/** What it will take, by what earlier restores of the project took. */
export async function estimate(
  { catalog }: Pick<Services, 'catalog'>,
  { name }: Project,
  bytes: number,
): Promise<{ expectedSeconds?: number }> {
  const isWhole = ({ status }: RestoreRecord): boolean => status === 'complete' || status === 'incomplete'
  const earlier = (await catalog.restores.list({ project: name, limit: 50 })).filter(isWhole)
  const measured = earlier.map((one) => ({ bytes: one.bytes, seconds: (one.endedAt - one.startedAt) / 1000 }))
  const seconds = estimateSeconds(measured, bytes)
  return seconds === undefined ? {} : { expectedSeconds: seconds }
}
