import type { Messages } from '..';
import { plural } from './grammar';

const streams = (count: number) => plural(count, { one: '# flujo de mensajes', other: '# flujos de mensajes' });

export const evidence: Messages['evidence'] = {
  deliveryDetails: 'Detalles de entrega',
  deliveryTo: (name: string) => `Entrega a ${name}`,
  findPeople: 'Buscar personas',
  people: 'Personas',
  noMatch: 'Nadie con ese nombre.',
  noOthers: 'No hay nadie más en esta conversación.',
  loading: 'Cargando detalles de entrega…',
  anotherUser: 'Elegir otro usuario',
  refresh: 'Actualizar',
  recorded: 'Esto queda en el registro de actividad.',

  steps: 'Pasos de la entrega',
  stored: 'Escrito en disco',
  storedHint: (position: number, node: string) => `Posición ${position} del registro${node && `, por el nodo ${node}`}`,
  session: (session: number, node: string) => `Sesión ${session}, nodo ${node}`,
  connected: 'Se conectó un dispositivo',
  sent: 'Enviado al dispositivo',
  replayed: 'Enviado al dispositivo cuando se reconectó',
  disconnected: (why: string) => `El dispositivo se desconectó: ${why}`,
  ends: {
    drain: 'el servidor se reinició',
    age: 'tocaba renovar la conexión',
    slow: 'leía demasiado despacio',
    revoked: 'se terminó su sesión',
    expired: 'su sesión caducó',
    epoch: 'se restauró la base de datos',
  },
  closedByDevice: 'El dispositivo cerró la conexión',
  readBy: (name: string) => `Leído por ${name}`,
  notMember: (name: string) => `${name} no era miembro cuando se envió`,
  disabled: (name: string) => `La cuenta de ${name} está desactivada`,
  deleted: 'El mensaje se eliminó',
  unread: (name: string) => `${name} aún no lo ha leído`,
  unreadHint: 'El mensaje se envió a un dispositivo.',
  notReached: 'Ningún dispositivo conectado recibió este mensaje',
  noDevice: (name: string) => `Ningún dispositivo de ${name} se ha conectado desde entonces`,
  willArrive: 'Está guardado y se entregará cuando se conecte un dispositivo.',
  openStreams: (count: number, name: string) =>
    count ? `Ahora: ${plural(count, { one: '# flujo abierto', other: '# flujos abiertos' })} para ${name}` : `Ahora: ningún flujo abierto para ${name}`,

  verdicts: {
    author: (name: string) => `${name} lo escribió.`,
    read: (name: string) => `${name} lo ha leído.`,
    receivedAndRead: (name: string) => `${name} lo recibió y lo ha leído.`,
    received: (name: string) => `${name} lo recibió y aún no lo ha leído.`,
    receivedLater: (name: string) => `${name} lo recibió tras reconectarse y aún no lo ha leído.`,
    notReceived: (name: string) => `${name} no lo ha recibido: todas las conexiones desde entonces terminaron antes de que llegara.`,
    noDevice: (name: string) => `${name} no lo ha recibido: ningún dispositivo se ha conectado desde que se envió.`,
    excluded: (name: string, why: string) => `${name} no lo recibe. ${why}`,
  },

  devices: 'Dispositivos conectados ahora',
  unnamedDevice: 'Dispositivo sin nombre',
  deviceStreams: (session: string, count: number, active: boolean) => `${session}: ${streams(count)}${active ? ', en uso' : ''}`,

  editHistory: 'Historial de ediciones',
  versions: 'Versiones',
  edits: 'Ediciones',
  noVersions: 'No hay versiones anteriores guardadas.',
  you: 'Tú',
  edited: '· edición',
  deletedIt: '· eliminación',
};
