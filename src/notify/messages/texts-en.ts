import { onProject, onVault } from './command-words.ts'
import type { AlarmTexts } from './texts.ts'

/** The words of alarms in English. */
export const english: AlarmTexts = {
  locale: 'en-GB',
  kinds: {
    damaged: {
      title: 'BACKUP DAMAGED',
      meaning: 'A vault holds bytes that are not what they must be.',
      todo: (names) => [
        { text: 'See what is damaged.', commands: [`bewaar verify${onProject(names)}${onVault(names)}`] },
        {
          text: 'Make a fresh backup, which brings over what is missing.',
          commands: [`bewaar run${onProject(names)}`],
        },
        {
          text: 'Remove nothing from any vault until it is clear what happened. Restore from another vault.',
          commands: [],
        },
      ],
    },
    late: {
      title: 'BACKUP TOO OLD',
      meaning: 'The newest backup is older than it may be.',
      todo: (names) => [
        { text: 'Make a backup now.', commands: [`bewaar run${onProject(names)}`] },
        {
          text: 'See that the schedule is running.',
          commands: ['systemctl status bewaar', `bewaar logs${onProject(names)}`],
        },
      ],
    },
    failed: {
      title: 'BACKUP FAILED',
      meaning: 'The last run made no backup.',
      todo: (names) => [
        { text: 'See why.', commands: [`bewaar logs${onProject(names)}`] },
        { text: 'Mend it, and run again.', commands: [`bewaar run${onProject(names)}`] },
      ],
    },
    stuck: {
      title: 'BACKUP HANGS',
      meaning: 'A run is under way far longer than usual.',
      todo: (names) => [
        { text: 'See what it is doing.', commands: [`bewaar logs${onProject(names)}`] },
        {
          text: 'If it does nothing any more, start the service again: the next run goes on where it was.',
          commands: ['systemctl restart bewaar'],
        },
      ],
    },
    'copy-failed': {
      title: 'COPY FAILED',
      meaning: 'The backup is there, but its copy in another vault is not.',
      todo: (names) => [
        { text: 'Copy again.', commands: [`bewaar copy${onProject(names)}${onVault(names, '--to')}`] },
        {
          text: 'See whether the vault answers.',
          commands: [`bewaar vault probe${names.vault === undefined ? '' : ` ${names.vault}`}`],
        },
      ],
    },
    clock: {
      title: 'CLOCK IS WRONG',
      meaning: 'The clock of this machine is not to be trusted, so nothing is removed until it is right.',
      todo: () => [{ text: 'See whether the clock is kept by the network.', commands: ['timedatectl status'] }],
    },
    full: {
      title: 'VAULT ALMOST FULL',
      meaning: 'A vault has little room left; without room there are no backups.',
      todo: (names) => [
        { text: 'See what takes the room, and give the vault more.', commands: ['bewaar vault list'] },
        {
          text: 'See what may be removed.',
          commands: [`bewaar cleanup${names.project === undefined ? ' --all' : onProject(names)} --dry-run`],
        },
      ],
    },
    weak: {
      title: 'VAULT WEAKER THAN IT SHOULD BE',
      meaning: 'A vault does not hold what is claimed of it: backups in it can be changed or removed.',
      todo: (names) => [
        {
          text: 'See what was tried, and set the vault right.',
          commands: [`bewaar vault probe${names.vault === undefined ? '' : ` ${names.vault}`}`],
        },
      ],
    },
    incomplete: {
      title: 'BACKUP INCOMPLETE',
      meaning: 'A backup was made, but not everything is in it.',
      todo: (names) => [
        { text: 'See what is missing.', commands: [`bewaar logs${onProject(names)}`] },
        { text: 'Mend it, and run again.', commands: [`bewaar run${onProject(names)}`] },
      ],
    },
    'test-failed': {
      title: 'RESTORE TEST FAILED',
      meaning: 'A backup was restored to try it, and is not what it must be. What it stands for may be lost.',
      todo: (names) => [
        { text: 'See what was found.', commands: [`bewaar logs${onProject(names)}`] },
        {
          text: 'Mend it, make a new backup, and test that.',
          commands: [`bewaar run${onProject(names)}`, `bewaar test${onProject(names)}`],
        },
      ],
    },
    untested: {
      title: 'RESTORE NOT TESTED',
      meaning: 'No backup passed a restore test in time, so nobody knows whether it can be restored.',
      todo: (names) => [{ text: 'Test it now.', commands: [`bewaar test${onProject(names)}`] }],
    },
    unverified: {
      title: 'BACKUPS NOT READ BACK',
      meaning: 'What a vault holds was not read back in time, so nobody knows whether it is still whole.',
      todo: (names) => [{ text: 'Read it back now.', commands: [`bewaar verify${onProject(names)}${onVault(names)}`] }],
    },
    'cleanup-failed': {
      title: 'CLEAN-UP FAILED',
      meaning: 'Old backups could not be removed. No backup is in danger, but the room is not freed.',
      todo: (names) => [
        {
          text: 'See what it would remove, and why it cannot.',
          commands: [`bewaar cleanup${names.project === undefined ? ' --all' : onProject(names)} --dry-run`],
        },
      ],
    },
    'own-backup': {
      title: 'BEWAAR ITSELF NOT BACKED UP',
      meaning:
        'A vault did not get the newest configuration and catalog. The projects in it are safe; recovering Bewaar from this vault would give an older state.',
      todo: () => [{ text: 'See that the vault answers, then back up again.', commands: ['bewaar run'] }],
    },
    kit: {
      title: 'RECOVERY KIT TO BE CHECKED',
      meaning: 'For a year nobody has proven that the password on paper still opens the vaults.',
      todo: () => [
        { text: 'Take the paper, and type in what stands there.', commands: ['bewaar kit check'] },
        { text: 'When the paper is gone or old, print a new one.', commands: ['bewaar kit'] },
      ],
    },
    configuration: {
      title: 'CONFIGURATION REFUSED',
      meaning: 'The configuration was changed and cannot be used. Backups go on as it was before.',
      todo: () => [{ text: 'See what is wrong with it, and mend it.', commands: ['bewaar config check'] }],
    },
    channel: {
      title: 'ALARMS DO NOT ARRIVE',
      meaning: 'A channel that tells people of troubles does not work, so other alarms may not arrive.',
      todo: () => [{ text: 'See what the other side says, and mend it.', commands: ['bewaar notify test'] }],
    },
  },
  criticalities: { critical: 'critical', high: 'high', medium: 'medium', low: 'low' },
  labels: {
    project: 'Project',
    vault: 'Vault',
    criticality: 'Criticality',
    report: 'What was seen',
    since: 'Since',
    until: 'Until',
    lasted: 'Lasted',
    lastBackup: 'Last good backup',
    incident: 'Incident',
    whatToDo: 'What to do now',
  },
  worse: 'GRAVER NOW:',
  resolved: 'RESOLVED:',
  reminder: (count) => `REMINDER ${count}:`,
  reminderMeaning: (count, duration) =>
    `It has lasted ${duration}. This is reminder ${count}; nobody has said yet that they are on it.`,
  worseMeaning: (criticality) => `It has become graver: it is ${criticality} now.`,
  resolvedMeaning: (duration) => `It is over. It lasted ${duration}.`,
  resolvedBy: (who) => `${who} said so.`,
  many: (count) => `${count} TROUBLES`,
  manyMeaning: (count) => `There are ${count} troubles at once. They may have one cause.`,
  manyResolved: (count) => `${count} troubles are over.`,
  others: (count) => `and ${count} more`,
  lastBackupIn: (when, vault) => `${when}, in ${vault}`,
  noBackup: 'there is none',
  ago: (duration) => `${duration} ago`,
  acknowledge: 'Say that you are on it; then there are no more reminders.',
  show: 'See all of it.',
  footer: (version, file) => `Sent by Bewaar ${version}, as ${file} says.`,
  test: {
    title: 'TEST OF THE ALARM',
    meaning: 'This is a test: nothing is wrong. When you can read this, alarms arrive.',
  },
}
