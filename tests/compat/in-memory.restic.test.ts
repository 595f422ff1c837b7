import { battery } from './battery.ts'
import { placeInMemory } from './place.ts'
import { trees } from './trees.ts'

const place = placeInMemory()
if (place !== undefined) battery(trees.inMemory, place)
