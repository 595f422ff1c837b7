import { textOf } from '#base'
import { describeHealth, type SystemStatus } from '#usecases'
import type { Reader } from './reader.ts'

/** How long the scheduler may not have looked for what is due: it does so every minute. */
export const stalledMs = 5 * 60_000

/** What is well and what is not, for those who may see it. */
export async function judgeSystem(reader: Reader) {
  const schedule = describeSchedule(reader)
  const projects = await describeProjects(reader)
  const isHealthy =
    'projects' in projects &&
    projects.projects.every(({ verdict }) => verdict === 'healthy') &&
    schedule?.status !== 'stalled'
  return { status: isHealthy ? ('healthy' as const) : ('unhealthy' as const), schedule, ...projects }
}

async function describeProjects(reader: Reader) {
  let status: SystemStatus
  try {
    status = await reader.status()
  } catch (thrown) {
    return { catalog: { status: 'unavailable' as const, reason: textOf(thrown) } }
  }
  return {
    catalog: { status: 'available' as const },
    projects: status.projects.map(({ health }) => describeHealth(health)),
  }
}

function describeSchedule(reader: Reader) {
  const state = reader.schedule?.()
  if (!state) return null
  const { lookedAt, running, waiting } = state
  const isStalled = Math.abs(reader.now() - lookedAt) > stalledMs
  return {
    status: isStalled ? ('stalled' as const) : ('running' as const),
    looked: new Date(lookedAt).toISOString(),
    running,
    waiting,
  }
}
