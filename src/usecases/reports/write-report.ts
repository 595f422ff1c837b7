import type { Report } from '#model'
import type { ReportMessage } from '#notify'
import type { Services } from '../services.ts'

/** Writes a report for people, in the language of the configuration. */
export async function writeReport(
  { configuration, version }: Pick<Services, 'configuration' | 'version'>,
  report: Report,
): Promise<ReportMessage> {
  const { composeReport } = await import('#notify')
  const { language, organisation, timezone } = configuration
  const setting = {
    language,
    timezone,
    version,
    ...(organisation !== undefined && { organisation }),
  }
  return composeReport(report, setting)
}
