/** One line of the table. */
export interface Row {
  name: string;
  measured: string;
  goal: string;
  met: boolean;
}
