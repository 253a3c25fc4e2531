/**
 * Kubernetes quantities that are not negative: `100m`, `1.5`, `512Mi`, `10Gi`, `1e3`.
 * https://kubernetes.io/docs/reference/kubernetes-api/common-definitions/quantity/
 */
const QUANTITY = /^\+?(?:\d+(?:\.\d*)?|\.\d+)(?:[KMGTPE]i|[numkMGTPE]|[eE][+-]?\d+)?$/;

export function isQuantity(text: string): boolean {
  return text.length <= 64 && QUANTITY.test(text);
}

/** Kubernetes takes `512m` of memory and means half a byte by it; nobody else does. */
export function isFractionOfByte(text: string): boolean {
  return /[num]$/.test(text);
}

/** What was probably meant by `10GB`, `10gi`, `512m` or `10` where bytes are counted; otherwise `undefined`. */
export function likelySize(text: string): string | undefined {
  const [, digits, unit] = /^([1-9]\d{0,8}) ?([kmgt])i?b?$/i.exec(text) ?? [];
  return unit && `${digits}${unit.toUpperCase()}i`;
}
