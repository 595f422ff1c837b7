import type { ProjectType } from '#model'
import type { Host } from '#sources'
import { generic } from './generic.ts'
import { laravelApp } from './laravel-app.ts'
import { laravelPackage } from './laravel-package.ts'
import { nodeApp } from './node-app.ts'
import type { Detection, Strategy } from './strategy.ts'

/** Another strategy is a file of its own, and one line here. */
const strategies: { readonly [Type in ProjectType]: Strategy } = {
  'laravel-app': laravelApp,
  'laravel-package': laravelPackage,
  'node-app': nodeApp,
  generic,
}

export function getStrategy(type: ProjectType): Strategy {
  return strategies[type]
}

/** The types that fit a folder, the best first; `generic` always does. */
export async function detectTypes(path: string, host: Host): Promise<(Detection & { readonly type: ProjectType })[]> {
  const all = Object.entries(strategies) as [ProjectType, Strategy][]
  const detected = await Promise.all(
    all.map(async ([type, strategy]) => ({ type, ...(await strategy.detect(path, host)) })),
  )
  return detected.filter(({ confidence }) => confidence > 0).sort((a, b) => b.confidence - a.confidence)
}
