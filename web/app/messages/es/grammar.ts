/** The grammar of Spanish, for its texts with counts and lists. */
import { Grammar } from '../language';

export const { plural, number, list } = new Grammar('es');
