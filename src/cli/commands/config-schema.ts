import { defineCommand } from '../command.ts'

export const configSchema = defineCommand({
  examples: ['bewaar config schema > bewaar.schema.json'],
  input: {},
  run: ({ services }) => services.configurationSchema(),
  render: (schema) => JSON.stringify(schema, null, 2).split('\n'),
})
