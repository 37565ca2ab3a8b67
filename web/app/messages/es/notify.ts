import type { Messages } from '..';

export const notify: Messages['notify'] = {
  title: 'Notificaciones',
  ask: 'Te perdiste un mensaje mientras no estabas. ¿Activar las notificaciones?',
  turnOn: 'Activar',
  notNow: 'Ahora no',
  notifyAbout: 'Avisarme de',
  levels: {
    all: 'Todos los mensajes',
    mentions: 'Solo menciones',
    nothing: 'Nada',
  },
  default: (level: string) => `Tu ajuste predeterminado (${level})`,
  defaults: {
    all: 'Todos los mensajes',
    mentions: 'Menciones, palabras clave y mensajes directos',
    nothing: 'Nada',
  },
  levelHints: {
    all: 'Cada mensaje nuevo cuenta como no leído',
    mentions: 'Solo los mensajes que te mencionan o contienen una palabra clave',
    nothing: 'Sin contadores ni notificaciones',
  },
  mute: 'Silenciar',
  muteFor: 'Silenciar durante',
  mutes: {
    hour: '1 hora',
    tomorrow: 'Hasta mañana',
    week: '1 semana',
    forever: 'Hasta que lo reactives',
  },
  mutedUntil: (moment: string) => `Silenciado hasta: ${moment}`,
  muted: 'Silenciado hasta que lo reactives',
  unmute: 'Reactivar',
  forwarded: 'Mensaje reenviado',
  inChannel: (author: string, channel: string) => `${author} en #${channel}`,
};
