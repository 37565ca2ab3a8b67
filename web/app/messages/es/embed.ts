import type { Messages } from '..';

export const embed: Messages['embed'] = {
  loggedOut: 'No has iniciado sesión',
  loggedOutHint: 'Recarga la página o abre esta conversación en una pestaña nueva.',
  refused: 'Esta página no pudo iniciar tu sesión',
  refusedHint: 'Su acceso ha caducado o se ha retirado. Recarga la página.',
  cookieBlocked: 'Tu navegador bloquea aquí las cookies',
  cookieBlockedHint: 'Abre esta conversación en una pestaña nueva.',
  openInTab: 'Abrir en una pestaña nueva',
  openConversation: 'Abrir esta conversación en una pestaña nueva',
  notFound: 'No puedes ver esta conversación',
  notFoundHint: 'No existe o no eres miembro.',
  archived: 'Esta conversación está archivada',
  archivedHint: 'Ya no se puede leer aquí.',
  notJoined: 'No te has unido a este canal',
  notJoinedHint: 'Únete para leer y escribir mensajes.',
  join: 'Unirse al canal',
};
