import type { Messages } from '..';

export const emoji: Messages['emoji'] = {
  title: 'Emoji',
  find: 'Buscar emoji',
  skinTone: 'Tono de piel',
  recent: 'Recientes',
  found: 'Encontrados',
  nothing: 'No se encontró ningún emoji.',
  searching: 'Buscando…',
  notLoaded: 'No se pudieron cargar los emoji.',
  groups: [
    'Caras y emociones',
    'Personas',
    '',
    'Animales y naturaleza',
    'Comida y bebida',
    'Viajes y lugares',
    'Actividades',
    'Objetos',
    'Símbolos',
    'Banderas',
  ],
};
