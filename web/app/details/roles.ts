/** The roles that a member may give to another: never above their own. Pure; chat/conversations/permissions.py is the same on the server. */
import type { Role } from '../../client';

const ranks: Record<Role, number> = { member: 0, admin: 1, owner: 2 };
const all: Role[] = ['owner', 'admin', 'member'];

/** Return the roles to choose from, highest first, including the current one; none if the role cannot be changed. */
export function rolesToGive(mine: Role, theirs: Role): Role[] {
  if (ranks[mine] < ranks.admin || ranks[theirs] > ranks[mine]) return [];
  return all.filter((role) => ranks[role] <= ranks[mine]);
}
