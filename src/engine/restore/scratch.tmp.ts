import { Secret } from '#base'
import { openLocal } from '../backend/local/local.ts'
import { openRepository } from '../repository/repository.ts'
import { planRestore } from './plan-restore.ts'
import { performRestore } from './restore.ts'
const [repo, target, strip, existing, del] = process.argv.slice(2)
let t = performance.now()
const lap = (l: string) => {
  const n = performance.now()
  console.log(l, (n - t).toFixed(0), 'ms', (process.memoryUsage().rss / 1e6).toFixed(0), 'MB')
  t = n
}
await using backend = await openLocal(repo!)
await using repository = await openRepository(backend, { password: new Secret('x') })
await repository.loadIndex()
const { snapshot } = await repository.findSnapshot('latest')
lap('open')
const plan = await planRestore(repository, {
  tree: snapshot.tree,
  target: target!,
  ...(strip && { strip }),
  ...(existing && { existing: existing as 'refuse' }),
  delete: del === 'delete',
})
lap('plan')
console.log(plan.counts, plan.bytes, plan.packs, plan.findings)
const result = await performRestore(repository, plan)
lap('perform')
console.log({ ...result, findings: result.findings.length, first: result.findings.slice(0, 3) })
