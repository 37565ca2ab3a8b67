/** Which roles one may give whom: nobody touches a role above their own. Pure; the server's twin is chat/conversations/permissions.py. */
import type { Role } from '../../client';

const ranks: Record<Role, number> = { member: 0, admin: 1, owner: 2 };
const all: Role[] = ['owner', 'admin', 'member'];

/** Highest first, the one they have among them; none where nothing may be changed. */
export function rolesToGive(mine: Role, theirs: Role): Role[] {
  if (ranks[mine] < ranks.admin || ranks[theirs] > ranks[mine]) return [];
  return all.filter((role) => ranks[role] <= ranks[mine]);
}
