// A post-render command: what is in Secrets goes into the ConfigMaps of the same name, as it was when there were no Secrets.
import { text } from 'node:stream/consumers';
import { parseAllDocuments, stringify } from 'yaml';

const objects = parseAllDocuments(await text(process.stdin)).map((document) => document.toJS());
const secrets = objects.filter(({ kind }) => kind === 'Secret');
for (const { metadata, data } of secrets) {
  const map = objects.find(({ kind, metadata: { name } }) => kind === 'ConfigMap' && name === metadata.name);
  for (const [file, encoded] of Object.entries(data))
    map.data[file] = Buffer.from(encoded, 'base64').toString();
}
for (const { spec } of objects) {
  for (const volume of spec?.template?.spec?.volumes ?? []) {
    if (!volume.projected) continue;
    volume.configMap = volume.projected.sources[0].configMap;
    delete volume.projected;
  }
}
const kept = objects.filter(({ kind }) => kind !== 'Secret');
process.stdout.write(kept.map((object) => stringify(object, { aliasDuplicateObjects: false })).join('---\n'));
