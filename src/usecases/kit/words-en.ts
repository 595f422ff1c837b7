import type { KitWords } from './words.ts'

export const english: KitWords = {
  locale: 'en-GB',
  title: 'Recovery kit',
  lead: 'With this paper and one of the vaults below everything comes back, also when the server is gone. Nothing gets worse by taking your time: the vaults keep what they have. Call somebody first.',
  facts: { kit: 'Kit', made: 'Made', machine: 'Of the machine' },
  keep: 'Keep it where the server is not: in a safe, or with somebody else. Destroy older kits when this one is in its place, and the file that it was printed from.',
  call: 'Whom to call',
  noContacts: 'Write down two people, each with a telephone number.',
  vaults: 'Where the backups are',
  vaultsLead: 'Each vault is enough for all that it holds. Begin with the one that is nearest.',
  location: 'Location',
  place: 'Place',
  tiers: { hot: 'near, for the last weeks', archive: 'archive, for years' },
  password: 'Password',
  passwordNamed: (letter, isOnly) => (isOnly ? 'the password of the vaults' : `password ${letter}`),
  projects: 'Holds',
  hostKeys: 'Keys of the host',
  noHostKeys: 'not known here: compare what ssh shows with what the provider publishes',
  alsoNeeded: 'Also needed',
  needs: {
    key: 'a private key that may log in there (a new one can be added at the provider)',
    'access-keys': 'access keys of the bucket (new ones can be made at the provider)',
    'login-password': 'the password of the user of the server',
    authority: 'the certificate of the own authority',
  },
  withoutPassword:
    'The password is not on this paper. Without it nobody can read the vaults, whoever they are and whatever they are paid.',
  whereKept: 'It is kept here, or by these people:',
  passwordLead: 'Whoever reads this can read all backups. It is written with the letters as they are: capitals count.',
  spelled: 'Letter by letter',
  camera: 'For the camera of a telephone that you trust',
  share: (number, count) => `Share ${number} of ${count}`,
  shareLead: (needed, count) =>
    `The password was split into ${count} shares. Any ${needed} of them give it back; fewer say nothing about it. Capitals, spaces and dashes do not count.`,
  shareHolders: 'The other shares are with:',
  withBewaar: 'The short way: with Bewaar',
  installBewaar:
    'Take a machine with Linux, install Node.js and Bewaar, and mount the disk of the vault or see that its host answers.',
  recover:
    'This shows what comes back, and asks before it writes. It brings back the configuration and the catalog, and says what else is needed:',
  recoverShares: (needed) => `It asks for the password: type the shares, one after the other, until it has ${needed}.`,
  restoreEach: 'Then each project, the most important first. Every restore checks what it writes before it writes it.',
  withoutBewaar: 'The long way: with restic alone',
  installRestic:
    'restic is free software (restic.net, and in every Linux distribution); 0.14 or later reads the vaults. Put the name of a project in the place of PROJECT.',
  reach: 'Say which vault:',
  fetch: 'Then fetch the newest backup; restic asks for the password:',
  followRestore:
    'In the folder lies RESTORE.md: it says what belongs where, and how databases are loaded. Follow it to its end.',
  postgresql: 'A PostgreSQL database, in short:',
  mysql: 'A MariaDB or MySQL database, in short:',
  joinShares:
    'Shares come together only in Bewaar: `bewaar recover` takes them, and writes the password into the file that the configuration names.',
  check: 'Proof, every year',
  checkLead:
    'A kit that nobody has tried is a hope. Take this paper, run `bewaar kit check`, type in what stands here, and write down the day.',
  checkTable: { day: 'Day', name: 'Name', result: 'Opened everything' },
}
