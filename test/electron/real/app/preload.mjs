import { exposeSabway } from '../../../../dist/electron/preload.mjs'

exposeSabway()
