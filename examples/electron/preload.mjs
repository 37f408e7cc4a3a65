import { exposeSabway } from 'sabway/electron/preload'

exposeSabway()
