import { defineCommand, positional } from '../command.ts'
import { completionScript, shells } from '../completion.ts'
import { oneOf } from '../parsers.ts'
import { commandTable } from './table.ts'

export const completion = defineCommand({
  examples: [
    'bewaar completion bash > /etc/bash_completion.d/bewaar',
    'bewaar completion zsh > ~/.zfunc/_bewaar',
    'bewaar completion fish > ~/.config/fish/completions/bewaar.fish',
  ],
  input: { shell: positional('shell', oneOf(shells), { help: 'bash, zsh or fish' }) },
  run: (_, { shell }) => completionScript(shell, commandTable),
  render: (script) => script.split('\n'),
})
