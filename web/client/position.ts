/** How far this client has come in the log; it only ever moves forward. */
import { relate } from './cursor';

export class Place {
  constructor(private reached: string | null) {}

  get cursor(): string | null {
    return this.reached;
  }

  /**
   * Takes an id: true when it lies ahead, false when it was passed before, null when it is of another log.
   */
  pass(id: string): boolean | null {
    const relation = relate(this.reached, id);
    if (relation === 'next') this.reached = id;
    return relation === 'foreign' ? null : relation === 'next';
  }
}
