/** The longest time between two consecutive moments, in their unit. 0 for fewer than two. */
export function longestGap(moments: readonly number[]): number {
  const sorted = [...moments].sort((a, b) => a - b);
  return sorted.reduce((gap, moment, index) => Math.max(gap, moment - (sorted[index - 1] ?? moment)), 0);
}
