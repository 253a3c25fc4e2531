const NUMBER = /^([+-]?)(\d*)(?:\.(\d*))?(?:[eE]([+-]?\d{1,3})|(n|u|m|k|[KMGTPE]i?))?$/;

const DECIMAL: Record<string, number> = { n: -9, u: -6, m: -3, k: 3, K: 3, M: 6, G: 9, T: 12, P: 15, E: 18 };
const BINARY: Record<string, number> = { Ki: 1, Mi: 2, Gi: 3, Ti: 4, Pi: 5, Ei: 6 };
/** The API server keeps quantities in thousand-millionths. */
const SCALE = 9;

/**
 * A Kubernetes quantity as a whole number of thousand-millionths, so that `1024Mi` and `1Gi`, `1000m` and `1` are
 * one; undefined for what is none.
 * https://kubernetes.io/docs/reference/kubernetes-api/common-definitions/quantity/
 */
export function quantity(value: unknown): bigint | undefined {
  if (typeof value !== 'string' && typeof value !== 'number') return undefined;
  const [, sign, whole = '', fraction = '', exponent, suffix = ''] = NUMBER.exec(String(value)) ?? [];
  if (whole + fraction === '') return undefined;
  const powerOfTwo = BINARY[suffix];
  const powerOfTen = SCALE - fraction.length + (DECIMAL[suffix] ?? 0) + Number(exponent ?? 0);
  const units = BigInt(whole + fraction) * (powerOfTwo === undefined ? 1n : 1024n ** BigInt(powerOfTwo));
  const scaled =
    powerOfTen >= 0 ? units * 10n ** BigInt(powerOfTen) : roundedUp(units, 10n ** BigInt(-powerOfTen));
  return sign === '-' ? -scaled : scaled;
}

function roundedUp(units: bigint, divisor: bigint): bigint {
  return (units + divisor - 1n) / divisor;
}
