/** Las cifras del equipo en el panel. */
import type { Messages } from '..';
import { plural } from './grammar';

export const team: Messages['team'] = {
  title: 'Equipo',
  counting: 'Contando…',
  countedAt: (time) => `Contado a las ${time}`,

  members: {
    title: 'Miembros activos',
    day: 'Últimas 24 horas',
    week: 'Últimos 7 días',
    month: 'Últimos 30 días',
    people: 'Cuentas',
    external: 'De aplicaciones',
    bots: 'Cuentas de bots',
    disabled: 'Desactivadas',
  },

  messages: {
    title: 'Mensajes',
    total: 'Todos los mensajes',
    month: 'Últimos 30 días',
    today: 'Hoy',
    about: (count) => `unos ${count}`,
    perDay: 'Mensajes por día',
    inUtc: 'Días en UTC.',
    spoken: (day, most, today) => `El máximo fue el ${day}: ${most}. Hoy: ${today}.`,
    channels: 'Canales más activos',
    otherChannels: (count) => plural(count, { one: '# canal público más', other: '# canales públicos más' }),
    private: 'Canales privados, grupos y mensajes directos',
    none: 'No hay mensajes en los últimos 30 días.',
  },

  storage: {
    title: 'Almacenamiento',
    bytes: 'Tamaño de los archivos',
    files: 'Archivos',
    database: 'Base de datos',
    byKind: 'Archivos por tipo',
    kinds: {
      image: 'Imágenes',
      video: 'Vídeos',
      audio: 'Sonidos',
      document: 'Documentos',
      archive: 'Archivos comprimidos',
      import: 'Archivos de importaciones',
      other: 'Otros archivos',
    },
    kindSize: (files, size) => `${size} · ${plural(files, { one: '# archivo', other: '# archivos' })}`,
    none: 'Aún no hay archivos.',
  },

  notifications: {
    title: 'Notificaciones enviadas',
    kind: 'Tipo',
    day: 'Últimas 24 horas',
    week: 'Últimos 7 días',
    failed: 'Fallidas en 7 días',
    push: 'Notificaciones push',
    email: 'Correos',
    since: (moment) => `Se cuenta desde: ${moment}.`,
    notCounted: 'Aún no se ha contado nada.',
    devices: (count) => plural(count, { one: '# dispositivo puede recibirlas.', other: '# dispositivos pueden recibirlas.' }),
    mailsOff: 'Las notificaciones por correo están desactivadas en este servidor.',
  },

  hooks: {
    title: 'Integraciones',
    kind: 'Tipo',
    incoming: 'Hooks entrantes',
    outgoing: 'Hooks salientes',
    command: 'Comandos de barra',
    running: 'Funcionan',
    failing: 'Fallan',
    disabled: 'Desactivados',
    all: 'Ver todas las integraciones',
  },
};
