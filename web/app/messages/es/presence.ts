import type { Messages } from '..';
import { plural } from './grammar';

export const presence: Messages['presence'] = {
  statuses: {
    online: 'En línea',
    away: 'Ausente',
    dnd: 'No molestar',
    offline: 'Sin conexión',
    invisible: 'Invisible',
    unknown: 'Desconocido',
  },
  justNow: 'ahora mismo',
  minutesAgo: (count: number) => `hace ${count} min`,
  hoursAgo: (count: number) => `hace ${count} h`,
  yesterday: 'ayer',
  daysAgo: (count: number) => plural(count, { one: 'hace # día', other: 'hace # días' }),
  onDay: (day: string) => `el ${day}`,
  lastActive: (status: string, ago: string) => `${status}, activo ${ago}`,
  typing: {
    one: (name: string) => `${name} está escribiendo…`,
    two: (first: string, second: string) => `${first} y ${second} están escribiendo…`,
    more: (first: string, second: string, others: number) =>
      `${first}, ${second} y ${plural(others, { one: '# persona más', other: '# personas más' })} están escribiendo…`,
  },
  degraded: 'Puede que el estado en línea no esté al día.',
  unavailable: 'El estado en línea no está disponible ahora mismo.',
  form: {
    title: 'Tu estado',
    emoji: 'Emoji',
    message: 'Mensaje de estado',
    messageHint: '¿Qué estás haciendo?',
    suggestions: 'Sugerencias',
    focusing: 'Concentrado',
    meeting: 'En una reunión',
    lunch: 'Comiendo',
    commuting: 'De camino',
    sick: 'De baja',
    vacation: 'De vacaciones',
    appearAs: 'Aparecer como',
    clearAfter: 'Borrar después de',
    othersSee: 'Los demás ven:',
    clear: 'Borrar estado',
    saved: 'Estado guardado',
  },
  clearAfter: {
    open: 'No borrar',
    half: '30 minutos',
    hour: '1 hora',
    four: '4 horas',
    today: 'Hoy',
    week: 'Esta semana',
  },
};
