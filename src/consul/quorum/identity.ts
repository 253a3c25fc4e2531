import type { ServerEvidence } from './evidence.ts';
import { Complaints, type ExpectedCluster, evidenceOf, type Finding } from './finding.ts';

/** Every server runs the expected version, or at least all the same. */
export function judgeVersion(evidence: readonly ServerEvidence[], expected: ExpectedCluster): Finding {
  const complaints = new Complaints();
  const versions = new Map<string, string>();
  for (const { server, said } of evidenceOf(expected, evidence, complaints)) {
    const version = said.version ?? membershipOf(said)?.version;
    if (version) versions.set(server.name, version);
    else complaints.ofItself(`${server.name} does not tell its version: ${whyNot(said)}`, server.name);
  }
  const distinct = [...new Set(versions.values())];
  for (const [name, version] of versions) {
    if (expected.version !== undefined && !sameVersion(version, expected.version)) {
      complaints.ofItself(`${name} runs ${version}, not ${expected.version}`, name);
    }
  }
  if (expected.version === undefined && distinct.length > 1) {
    const list = [...versions].map(([name, version]) => `${name} runs ${version}`);
    complaints.add(list.join(', '));
  }
  const wanted = expected.version ?? 'all the same';
  const about = { id: 'quorum-version', title: 'Version', expected: wanted } as const;
  return complaints.finding(about, distinct[0] ?? 'none', evidence);
}

/** Every server and every live member belongs to the expected datacenter. */
export function judgeDatacenter(evidence: readonly ServerEvidence[], expected: ExpectedCluster): Finding {
  const complaints = new Complaints();
  const wanted = expected.datacenter;
  for (const { server, said } of evidenceOf(expected, evidence, complaints)) {
    const datacenter = datacenterOf(said);
    if (!datacenter) {
      complaints.ofItself(`${server.name} does not tell its datacenter: ${whyNot(said)}`, server.name);
    } else if (datacenter !== wanted) {
      complaints.ofItself(`${server.name} is in ${datacenter}, not ${wanted}`, server.name);
    }
    for (const member of said.members ?? []) {
      if (member.name !== said.name && member.status === 'alive' && member.datacenter !== wanted) {
        const { name } = member;
        complaints.add(`${name} is in ${member.datacenter}, not ${wanted}`, { by: said.name, about: name });
      }
    }
  }
  const about = { id: 'quorum-datacenter', title: 'Datacenter', expected: wanted } as const;
  return complaints.finding(about, wanted, evidence);
}

/** What a server says of itself, directly or in gossip; undefined where it does neither. */
export function datacenterOf(said: ServerEvidence): string | undefined {
  return said.datacenter ?? membershipOf(said)?.datacenter;
}

/** What a server says of itself in gossip, for when ACLs deny the direct question. */
function membershipOf(said: ServerEvidence) {
  return said.members?.find(({ name }) => name === said.name);
}

function whyNot(said: ServerEvidence): string {
  return said.denied.includes('self') ? 'ACLs deny agent:read' : (said.errors.self ?? 'no answer');
}

/** `1.22.7+ent` is the enterprise build of 1.22.7. */
function sameVersion(version: string, expected: string): boolean {
  return version === expected || version.startsWith(`${expected}+`);
}
